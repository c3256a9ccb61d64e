// SPDX-License-Identifier: BSL-1.0
// Built only where Catch2's own package brings no main.
#define CATCH_CONFIG_MAIN
#include <support/catch.hpp>
