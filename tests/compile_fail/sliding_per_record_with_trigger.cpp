// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over session or sliding_per_record takes plain records, and over the latter it fires by the watermark
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/sliding_per_record.hpp>
#include <driftless/op/trigger.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr sliding_per_record windows{5_s};
int main() { [[maybe_unused]] auto p = from<event<int>>() | window(windows, every(3)) | aggregate(count()); }
