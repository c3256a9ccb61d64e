// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over session or sliding_per_record keeps the records of a function that takes them in log order (fold, sums of floats), and this record has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    double value;
};
constexpr auto value = [](reading const& r) { return r.value; };
int main() { [[maybe_unused]] auto p = from<event<reading>>() | window(session{1_s}) | aggregate(sum(value)); }
