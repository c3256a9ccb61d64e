// SPDX-License-Identifier: BSL-1.0
// replay_commands.cpp - a program that is driftless-replay for its pipelines: `replay_commands plan v2`, `run v2`,
// `validate`, `cutover`, `rollback WHY`, `history`. Without words it plays them in a folder of its own.
// expect: v1 shows 49500, v2 59400 after the cut-over, v1 49500 after the rollback
#include "support/kept_log.hpp"
#include "support/program.hpp"

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/view/replay_command.hpp>
#include <driftless/view/versioned_view_reader.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

struct order {
    dl::text shop;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, shop, cents, at);

namespace {
auto revenue(std::int64_t (*of)(order const&)) {
    return dl::from<order>() | dl::assign_time<&order::at>(dl::bounded_disorder{0_s}) | dl::key_by<&order::shop>()
        | dl::window(dl::tumbling{100_min}) | dl::aggregate(dl::sum(of));
}

/// What a program with these pipelines and this folder is, each time that it is started.
dl::replay_command<std::string, std::int64_t> program(
    std::string const& folder, dl::memory_log<order>& orders, dl::command_output output = {}) {
    dl::replay_command<std::string, std::int64_t> out{folder, {}, std::move(output)};
    out.add("v1", revenue([](order const& o) { return o.cents; }), orders)
        .add("v2", revenue([](order const& o) { return o.cents * 12 / 10; }), orders);
    dl::validation<std::string, std::int64_t> checks;
    checks.add(dl::counts{}).invariant("revenue >= 0", [](std::int64_t cents) { return cents >= 0; });
    checks.add(dl::difference{.allowed = {.relative = 0.25}});
    out.checks(std::move(checks));
    return out;
}

/// What readers in another process see.
std::int64_t shown(std::string const& folder) {
    dl::versioned_view_reader<std::string, std::int64_t> reader{folder};
    reader.refresh();
    std::int64_t sum = 0;
    auto const session = reader.read();
    session->snapshot().for_each([&](auto const& row) { sum += row.value; });
    return sum;
}

int replay_two_versions(int argc, char** argv) {
    dl::memory_log<order> orders;  // a real program opens a file_log to read it
    for (std::int64_t i = 0; i <= 100; ++i) {  // the last one closes the window
        orders.append({i % 2 == 0 ? "north" : "south", i * 10, dl::event_time{} + i * 1_min});
    }
    if (argc > 1) return program("replay_commands.view", orders).main(argc, argv);

    support::temporary_folder const own;
    auto const folder = own.path() + "/view";
    std::string said;
    auto const say = [&](std::string_view text) { said += text; };
    auto const does = [&](std::vector<std::string> const& words) {
        if (program(folder, orders, {say, say}).run(words) == dl::command_status::good) return;
        throw std::runtime_error{said};
    };
    does({"plan", "v1"});
    does({"run", "v1"});
    does({"cutover"});
    std::cout << "v1 shows " << shown(folder);
    does({"plan", "v2"});
    does({"run", "v2"});
    does({"validate"});
    does({"cutover"});
    std::cout << ", v2 " << shown(folder) << " after the cut-over";
    does({"rollback", "the tax was right"});
    does({"history"});
    std::cout << ", v1 " << shown(folder) << " after the rollback\n";
    return 0;
}
}  // namespace

int main(int argc, char** argv) {
    return support::framed("replay_commands", [&] { return replay_two_versions(argc, argv); });
}
