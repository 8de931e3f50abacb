// SPDX-License-Identifier: BSD-2-Clause
// Marks what libvirtif exports; everything else is built with hidden visibility.
#pragma once

#define VIF_API __attribute__((visibility("default")))
