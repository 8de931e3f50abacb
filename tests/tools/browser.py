# SPDX-License-Identifier: BSD-2-Clause
"""What Chromium makes of a page: its DOM, how its parts lie, and the colours on the screen."""

import base64
import collections
import json
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser

CHROMIUM = shutil.which("chromium")
WIDTH, HEIGHT = 1000, 3400
# What does not fit: wider than the page, outside of its picture, or one label on another.
MEASURE = """<script>{
const wrong = [], name = e => e.textContent.trim().slice(0, 40) || e.outerHTML.slice(0, 60);
if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is wider than the window');
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
  for (const part of svg.querySelectorAll('rect,text,path,line')) {
    if (part.closest('defs')) continue;
    const box = part.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      wrong.push('outside of the picture: ' + name(part));
  }
  texts.forEach(([one, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
    if (a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
      wrong.push('on each other: ' + name(one) + ', ' + name(other));
  }));
}
document.body.dataset.wrong = JSON.stringify(wrong);
}</script>"""


# Of a picture the colours that 100 pixels have.
COUNT = """<!DOCTYPE html><body><img src="data:image/png;base64,%s"><script>
window.onload = () => {
  const canvas = document.createElement('canvas'), context = canvas.getContext('2d'), seen = new Map(), picture = document.images[0];
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  context.drawImage(picture, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < data.length; i += 4) {
    const colour = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
    seen.set(colour, (seen.get(colour) || 0) + 1);
  }
  const colours = Object.fromEntries([...seen].filter(([, count]) => count >= 100)
    .map(([colour, count]) => [[colour >> 16, colour >> 8 & 255, colour & 255].join(), count]));
  document.body.dataset.counted = JSON.stringify({colours, size: [canvas.width, canvas.height]});
};
</script>"""


class Page(HTMLParser):
    """`text` of elements with an id, and `parts`: (id of what they are in, tag, attributes)."""

    VOID = {"meta", "br", "link", "img", "input", "rect", "line", "path"}

    def __init__(self, html):
        super().__init__()
        self.parts, self.text, self.open = [], collections.defaultdict(str), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        inside = next((name for _, name in reversed(self.open) if name), None)
        self.parts.append((inside, tag, attrs))
        self.open.append((tag, attrs.get("id")))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for name in {name for _, name in self.open if name}:
            self.text[name] += data

    def frames(self, inside, kind):
        """The sum of what the bars of a class, or the rows of a table, stand for."""
        return sum(int(attrs["data-frames"]) for where, _, attrs in self.parts
                   if where == inside and "data-frames" in attrs and kind in (None, attrs.get("class")))


def chromium(*words):
    with tempfile.TemporaryDirectory(prefix="vif-chromium-") as profile:
        return subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                               f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={profile}", *words],
                              capture_output=True, text=True, check=True, timeout=120).stdout


def looked_at(path):
    """(the page as Chromium has it, what does not fit)."""
    measured = path.with_name("measured.html")
    measured.write_text(path.read_text(encoding="utf-8") + MEASURE, encoding="utf-8")
    page = Page(chromium("--dump-dom", measured.as_uri()))
    [wrong] = [attrs["data-wrong"] for _, tag, attrs in page.parts if tag == "body"]
    return page, json.loads(wrong)


def colours(path, dark=False):
    """How many pixels have which colour, "50,115,197", in a screenshot; and its size."""
    picture = path.with_name("dark.png" if dark else "light.png")
    chromium(f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={0 if dark else 1}", path.as_uri())
    counter = path.with_name("counter.html")
    counter.write_text(COUNT % base64.b64encode(picture.read_bytes()).decode(), encoding="utf-8")
    page = Page(chromium("--dump-dom", counter.as_uri()))
    [counted] = [attrs["data-counted"] for _, tag, attrs in page.parts if tag == "body"]
    counted = json.loads(counted)
    return collections.Counter(counted["colours"]), counted["size"]
