# SPDX-License-Identifier: BSD-2-Clause
"""What a user of the installed library does: meson install, pkg-config, compile the examples, run them.

usage: install_test.py BUILD_DIR SOURCE_DIR CC CXX. Shared and static; the soname, the exports and every header are looked at.
"""

import os
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD, SOURCE = Path(sys.argv[1]), Path(sys.argv[2])
CC, CXX = sys.argv[3], sys.argv[4]
C_EXPORTS = {"virtif_open", "virtif_ioctl", "virtif_output", "vif_backend_add", "vif_deliver"}
problems = []


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=300, **options)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(map(str, words))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(holds, text):
    if not holds:
        problems.append(text)


def exports(library):
    lines = run("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[2].split("@")[0] for line in lines if len(line.split()) == 3} - {"VIRTIF_0"}  # the version itself


def check_own_loop(root, env):
    """Two of them with a socket between; the one that comes first waits, by its timer, for the one that is to come."""
    def start(linkstr):
        return subprocess.Popen([root / "own_loop", linkstr], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with start(f"stream:{root}/wire.sock,reconnect") as early, start(f"stream:{root}/wire.sock,listen") as late:
        for _ in range(100):  # nobody hears what is said before both are there
            early.stdin.write("are you there?\n")
            early.stdin.flush()
            if select.select([late.stdout], [], [], 0.1)[0]:
                break
        heard = late.stdout.readline()
        late.stdin.write("yes\n")
        late.stdin.flush()
        answered = early.stdout.readline()
        for process in (early, late):
            process.stdin.close()
    check(heard == "virt0: are you there?\n" and answered == "virt0: yes\n",
          f"examples/own_loop.c: one heard {heard!r}, the other {answered!r}")


with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
    prefix = next(root.rglob("pkgconfig/virtif.pc")).parents[2]
    while not (prefix / "include").is_dir():
        prefix = prefix.parent
    library = next(root.rglob("libvirtif.so"))
    check(library.resolve().name == "libvirtif.so.0.1.0", f"libvirtif.so is {library.resolve().name}: expected libvirtif.so.0.1.0")
    check("libvirtif.so.0]" in run("readelf", "-d", library).replace("soname: [", ""), "the soname is not libvirtif.so.0")
    exported = exports(library)
    check(C_EXPORTS <= exported, f"not exported: {sorted(C_EXPORTS - exported)}")
    foreign = sorted(e for e in exported if not e.startswith(("virtif_", "vif_", "_ZN", "_ZT", "_ZS", "_ZZ", "_ZGR")))
    check(not foreign, f"exported though not ours (mark with VIF_API only what users call): {foreign[:10]}")

    plugins = {path.name: path.readlink().name for path in root.rglob("*") if path.parent.name == "extcap"}
    check(plugins == {"virtif": "virtifctl"}, f"what Wireshark runs is {plugins}")

    env = dict(os.environ, PKG_CONFIG_PATH=str(next(root.rglob("virtif.pc")).parent), PKG_CONFIG_SYSROOT_DIR=str(root),
               LD_LIBRARY_PATH=str(library.parent))
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "virtif", env=env))
    run(CC, "-std=c11", SOURCE / "examples/echo.c", "-o", root / "echo", *flags)
    check("hello from the other side" in run(root / "echo", env=env), "examples/echo.c did not get its answer")
    run(CC, "-std=gnu11", SOURCE / "examples/backend.c", "-o", root / "backend", "-pthread", *flags)
    check("100 frames answered" in run(root / "backend", env=env), "examples/backend.c did not get its answers")
    run(CC, "-std=gnu11", SOURCE / "examples/own_loop.c", "-o", root / "own_loop", *flags)
    check_own_loop(root, env)
    run(CXX, "-std=c++20", SOURCE / "examples/listen.cpp", "-o", root / "listen", *flags)
    said = run(root / "listen", SOURCE / "tests/data/arp.pcap", env=env)
    check("frames," in said and "virt0: " in said, f"examples/listen.cpp said:\n{said}")

    run(CXX, "-std=c++20", SOURCE / "examples/embed.cpp", "-o", root / "embed", *flags)  # tests/interop runs it

    connector = shlex.split(run("pkg-config", "--cflags", "--libs", "virtif-connector", env=env))
    run(CXX, "-std=c++20", SOURCE / "examples/supervisor.cpp", "-o", root / "supervisor", *connector)
    check("running: " in run(root / "supervisor", "true", env=env), "examples/supervisor.cpp did not run `true`")

    tracing = shlex.split(run("pkg-config", "--cflags", "--libs", "virtif-trace", env=env))
    run(CC, "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", SOURCE / "examples/trace.c", "-o", root / "trace", *tracing)
    said = run(root / "trace", root / "trace.dat", env=env)
    check(said == f"3 events in {root}/trace.dat\n" and (root / "trace.dat").exists(), f"examples/trace.c said {said!r}")

    tracepoint = shlex.split(run("pkg-config", "--cflags", "--libs", "virtif-tracepoint", env=env))
    run(CC, "-std=gnu11", SOURCE / "tests/hypercall/tracepoint/tracepoint_program.c", "-o", root / "program", *tracepoint)
    run(root / "program", env=dict(env, VIRTIF_TRACEPOINT_RECORD=str(root / "program.dat")))
    check((root / "program.dat").exists(), "a program of libtracepoint's was not recorded")

    # Not `pkg-config --static`: Debian's libpcap.pc then asks for libraries that Debian does not install with it.
    archive = [str(next(root.rglob("libvirtif.a"))) if word == "-lvirtif" else word for word in flags]
    run(CXX, "-std=c++20", SOURCE / "examples/listen.cpp", "-o", root / "static", *archive, "-lpcap", "-lz", "-lzstd", "-lcrypto", "-luring", "-pthread")
    check("libvirtif" not in run("ldd", root / "static"), "the static example needs libvirtif.so")
    run(root / "static", SOURCE / "tests/data/arp.pcap")

    for place in ("man/man1/virtifctl.1", "man/man3/virtif.3", "man/man7/virtif-linkstr.7", "man/man8/virtifd.8",
                  "bash-completion/completions/virtifctl", "bash-completion/completions/virtifd", "zsh/vendor-completions/_virtifctl",
                  "zsh/vendor-completions/_virtifd", "fish/vendor_completions.d/virtifctl.fish", "fish/vendor_completions.d/virtifd.fish"):
        check((prefix / "share" / place).exists(), f"share/{place} is not installed")
    unit = next(root.rglob("virtifd.service"))
    check(unit.parent == prefix / "lib/systemd/system" or prefix.name == "usr", f"{unit}: systemd does not look there")
    check((unit.parent / "virtifd.socket").exists(), "virtifd.socket is not beside virtifd.service")
    [program] = [line.split("=")[1].split()[0] for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    check((root / program.lstrip("/")).exists(), f"virtifd.service starts {program}, which is not installed")

    if next(root.rglob("virtif-lwip.pc"), None):
        plugin = next(root.rglob("virtif/libvirtif-packetdrill.so"))
        check(exports(plugin) == {"packetdrill_interface_init", "sys_now", "tcpip_try_callback"}, f"{plugin.name} exports {exports(plugin)}")
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "virtif-lwip", env=env))
        run(CXX, "-std=c++20", SOURCE / "examples/http.cpp", "-o", root / "http", *flags)
        with subprocess.Popen([root / "http", "null:", "192.0.2.1/24"], env=env, stdout=subprocess.PIPE, text=True) as http:
            said = http.stdout.readline()
            http.terminate()
        check(said == "serving http://192.0.2.1/\n" and http.returncode == 0, f"examples/http.cpp said {said!r}")

    replay_test = root / "replay_test"
    shutil.copytree(SOURCE / "examples/replay_test", replay_test)
    run("meson", "setup", replay_test / "build", replay_test, env=dict(env, CXX=CXX))
    said = run("meson", "test", "-C", replay_test / "build", "--verbose", env=env)
    check("[  PASSED  ] 2 tests." in said, f"examples/replay_test said:\n{said}")

    includes = [word for word in flags if word.startswith("-I")]
    headers = sorted((prefix / "include/virtif").rglob("*.h*"))
    for header in headers:
        check("boost/" not in header.read_text() or header.parent.name == "asio",
              f"{header.name}: no Boost in installed headers (Debian's default is another version)")
    # That each compiles alone is for tools/check --long to see (tests/tidy/headers.py); here, that what they include is installed.
    for suffix, compiler, standard in ((".hpp", CXX, "-std=c++20"), (".h", CC, "-std=c11")):
        every = root / f"every{suffix}"
        every.write_text("".join(f'#include "{header}"\n' for header in headers if header.suffix == suffix))
        run(compiler, standard, "-fsyntax-only", "-x", "c++" if suffix == ".hpp" else "c", every, *includes)

if problems:
    sys.exit("\n".join(problems))
print("installed, linked shared and static, examples ran, the headers are complete")
