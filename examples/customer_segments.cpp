// SPDX-License-Identifier: BSL-1.0
// examples/customer_segments.cpp - customers of a shop by what they have spent and when they last bought. Each is in
// one segment at a time: a line of an invoice, or three days without one, takes them out of one and puts them into
// another, and the totals of both segments change together. Invoice lines are read from a file (--input FILE), or made
// up.
// args:
// expect: big: 105 customers, 129093 pounds
// expect: occasional: 40 customers, 4944 pounds
// expect: regular: 228 customers, 137319 pounds
// expect: sleeping: 20 customers, 1906 pounds
// expect: after each poll the segments were those of plain loops, and no customer was in two of them
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv"
// expect: big: 32 customers, 100150 pounds
// expect: occasional: 94 customers, 7210 pounds
// expect: regular: 158 customers, 66890 pounds
// expect: sleeping: 334 customers, 129341 pounds
// expect: after each poll the segments were those of plain loops, and no customer was in two of them
#include "retail/read_lines.hpp"
#include "support/random.hpp"

#include <driftless/driftless.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/view.hpp>
#include <driftless/view/reconcile.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace segments {
namespace dl = driftless;
using namespace driftless::literals;
using retail::line;

/// Where a customer stands.
struct standing {
    dl::text segment;
    std::int64_t pence;
    dl::event_time last;
};
struct segment_totals {
    std::int64_t customers, pence;
};
}  // namespace segments
BOOST_HANA_ADAPT_STRUCT(segments::standing, segment, pence, last);
BOOST_HANA_ADAPT_STRUCT(segments::segment_totals, customers, pence);

namespace segments {
constexpr auto sleeps_after = 3_d;
constexpr dl::text segment_of(std::int64_t pence) {
    return pence >= 100'000 ? "big" : pence >= 20'000 ? "regular"
                                                      : "occasional";
}

struct stand {
    struct state {
        dl::value_state<std::int64_t> pence;
        dl::value_state<dl::event_time> last;
        dl::event_timer sleep;
    };
    void on_record(state& own, line const& l, auto& context) const {
        own.pence = own.pence.value_or(0) + retail::amount(l);
        own.last = l.ts;
        context.set(own.sleep, l.ts + sleeps_after);
        context.emit({segment_of(*own.pence), *own.pence, l.ts});
    }
    void on_timer(state& own, dl::fired_timer const&, auto& context) const {
        context.emit({"sleeping", *own.pence, *own.last});
    }
};
}  // namespace segments
BOOST_HANA_ADAPT_STRUCT(segments::stand::state, pence, last, sleep);

namespace segments {
/// Customers as they stand now: a table, whose rows are replaced; and what that does to the segments.
inline constexpr auto by_segment =
    retail::lines_by_day
    | dl::filter([](line const& l) { return l.customer_id != 0; })
    | dl::sorted_by_time()
    | dl::key_by<&line::customer_id>()
    | dl::process<standing>(stand{}, dl::max_keys{1'000'000})
    | dl::table(dl::max_keys{1'000'000})
    | dl::fork(dl::branch("customers"_name))
    | dl::key_by<&standing::segment>()
    | dl::aggregate<segment_totals>(dl::count(), dl::sum<&standing::pence>(), dl::max_keys{10});

using customer_view = dl::view<std::int64_t, standing>;
using segment_view = dl::view<std::string, segment_totals>;
using lines_t = dl::memory_log<line>;

void make_up(lines_t& into) {
    support::random random{1};
    for (std::int64_t i = 0; i < 20'000; ++i) {
        line made{};
        made.customer_id = std::min(random.below(400), random.below(400));
        bool const comes_back = random.one_in(30);
        made.quantity = (comes_back ? -1 : 1) * (1 + random.below(6));
        made.unit_price_pence = 20 + random.below(800);
        made.ts = dl::event_time{} + i * 1_min + dl::duration{random.below((30_min).ns())};
        into.append(made);
    }
}

/// Plain loops over the first n lines: who stood where when the watermark was there.
auto by_loops(lines_t const& lines, dl::served_at const& at) {
    struct customer {
        std::int64_t pence;
        dl::event_time last;
    };
    std::map<std::int64_t, customer> customers;
    dl::read_offsets(lines, 0, {0, at.epoch}, [&](line const& l) {
        if (l.customer_id == 0 || l.ts >= at.watermark) return;
        auto& of = customers[l.customer_id];
        of = {of.pence + retail::amount(l), std::max(of.last, l.ts)};
    });
    std::map<std::string, segment_totals> totals;
    for (auto const& [id, c] : customers) {
        auto& in = totals[at.watermark > c.last + sleeps_after ? "sleeping" : segment_of(c.pence).str()];
        in = {in.customers + 1, in.pence + c.pence};
    }
    return dl::rows_of<std::string, segment_totals>([totals](auto const& row) {
        for (auto const& [segment, of] : totals) row(segment, {}, of);
    });
}

int run(std::string const& input) {
    lines_t all;
    if (input.empty()) make_up(all);
    else retail::read_lines(input, all);

    lines_t lines;
    customer_view customers{{.name = "customers"}};
    segment_view totals{{.name = "segments"}};
    dl::job running{dl::stream{}, by_segment, lines, dl::bind("customers"_name, customers), totals};
    int wrong = 0;
    dl::read_offsets(all, 0, {}, [&](dl::partition_offset const& at, line const& l) {
        lines.append(l);
        if (at.offset % 500 != 0 && at.offset + 1 != all.end_offset()) return;
        running.poll();
        auto const together = dl::read_together(totals, customers);
        auto const& segments = std::get<0>(together);
        std::int64_t in_segments = 0;
        for (auto const& row : segments.rows()) in_segments += row.value.customers;
        bool const once = in_segments == static_cast<std::int64_t>(std::get<1>(together).size());
        auto const found = dl::reconcile(dl::rows_of(segments), by_loops(lines, segments.at()));
        wrong += once && found ? 0 : 1;
    });

    for (auto const& row : totals.snapshot().rows()) {
        std::cout << row.key << ": " << row.value.customers << " customers, " << row.value.pence / 100 << " pounds\n";
    }
    if (wrong != 0 || running.metrics().refused(dl::reason::late) != 0) {
        std::cout << "the segments were other ones than those of plain loops, " << wrong << " times\n";
        return 1;
    }
    std::cout << "after each poll the segments were those of plain loops, and no customer was in two of them\n";
    return 0;
}
}  // namespace segments

int main(int argc, char** argv) {
    try {
        return segments::run(argc == 3 && std::string_view{argv[1]} == "--input" ? argv[2] : "");
    } catch (std::exception const& problem) {
        std::cerr << "customer_segments: " << problem.what() << '\n';
        return 1;
    }
}
