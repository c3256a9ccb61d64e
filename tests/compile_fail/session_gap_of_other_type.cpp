// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate asks session(gap, longest) for the gap of each record, and it does not fit: give it a member or a function of the record that yields a duration
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
struct call {
    duration pause;
    int seconds;
};
int main() {
    [[maybe_unused]] auto p = from<event<call>>() | window(session(&call::seconds, 1_min)) | aggregate(count());
}
