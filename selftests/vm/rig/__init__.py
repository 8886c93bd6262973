# SPDX-License-Identifier: GPL-2.0-only
"""The test machines of selftests/vm: how one is built, booted and judged."""
