// SPDX-License-Identifier: BSL-1.0
#include "pipelines.hpp"

odr_test::seen odr_test::look_from_there() { return look(); }
