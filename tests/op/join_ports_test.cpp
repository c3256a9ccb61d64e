// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/detail/join_ports.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/script.hpp>
#include <driftless/time/punctuated.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::play;

namespace {
std::string text_of(event_time at) {
    if (at == event_time::max()) return "inf";
    if (at == event_time::min()) return "-inf";
    return std::to_string(at.ns());
}

/// Writes down what an operator over two inputs is told; yields what each record holds, as a number.
template <class Next>
class told_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    std::string* into_;
    std::uint64_t seen_ = 0;

public:
    static constexpr bool deadline_moves = false;
    told_stage(Next next, std::string* into) : forwarding<Next>(std::move(next)), into_(into) {}

    template <std::size_t I, class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        ++seen_;
        add(std::string{I == 0 ? "L" : "R"} + text_of(ctx.at));
        next_.on_record(ctx, as_number(record));
    }
    template <std::size_t I, class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        ++seen_;
        add(std::string{I == 0 ? "L" : "R"} + (row.before != nullptr ? "-" : "")
            + (row.after != nullptr ? "+" : "") + text_of(ctx.at));
    }
    void on_watermarks(driftless::detail::input_watermarks const& now) {
        add("(" + text_of(now.of[0]) + ' ' + text_of(now.of[1]) + ' ' + text_of(now.both) + ')');
        next_.on_watermark(now.both);
    }
    void on_idle(bool idle) {
        add(idle ? "idle" : "active");
        next_.on_idle(idle);
    }
    void on_clock(event_time now) {
        add("clock" + text_of(now));
        next_.on_clock(now);
    }
    void on_end() {
        add("end");
        next_.on_end();
    }
    [[nodiscard]] event_time deadline(std::size_t) const { return event_time::min(); }
    void visit_state(auto&& visit) {
        visit("seen", seen_);
        next_.visit_state(visit);
    }

private:
    static std::int64_t as_number(std::int64_t n) { return n; }
    static std::int64_t as_number(std::string const& s) { return static_cast<std::int64_t>(s.size()); }
    template <class K, class V>
    static std::int64_t as_number(pane<K, V> const& row) {
        return row.value;
    }
    void add(std::string const& what) { (*into_ += into_->empty() ? "" : " ") += what; }
};

template <class Left, class Right>
struct told_root : operator_base<told_root<Left, Right>>, driftless::detail::two_inputs<Left, Right> {
    static constexpr std::string_view kind = "told";
    using output = stream_of<std::int64_t, true>;
    std::string* into;

    told_root(Left left, Right right, std::string* to)
        : driftless::detail::two_inputs<Left, Right>{{left, right}}, into(to) {}
    void describe(auto&&) const {}
    template <class Mode, class Next>
    auto bind(Next next, auto const&) const {
        return told_stage<Next>{std::move(next), into};
    }
};
template <class Left, class Right>
auto told(Left left, Right right, std::string& into) {
    return root_link<told_root<Left, Right>>{told_root<Left, Right>{left, right, &into}};
}

/// A row of a script: for which side, and how far that side has come (a mark alone is dropped).
struct row {
    int side = 0;
    std::int64_t value = 0;
    event_time at{};
    event_time mark = event_time::min();
};
constexpr auto marks = punctuated([](row const& r) -> event_time { return r.mark; });
auto side(int n) {
    return from<row>("rows"_name) | filter([n](row const& r) noexcept { return r.side == n; })
        | assign_time<&row::at>(marks)
        | filter([](row const& r) noexcept { return r.mark == event_time::min(); });
}
event<row> at(int side, std::int64_t t) { return {{side, t, event_time{t}}, event_time{t}}; }
event<row> mark(int side, std::int64_t t) { return {{side, 0, event_time{t}, event_time{t}}, event_time{t}}; }
}  // namespace
BOOST_HANA_ADAPT_STRUCT(row, side, value, at, mark);

TEST_CASE("two inputs of other types reach one stage, each with its own watermark", "[op][join]") {
    std::string said;
    auto const words = side(1) | map([](row const& r) { return std::string(static_cast<std::size_t>(r.value), 'x'); });
    auto const numbers = side(0) | map([](row const& r) { return r.value; });
    auto const pipe = told(numbers, words, said);
    auto const run = play(pipe, at(0, 3), at(1, 4), mark(0, 5), mark(1, 9), mark(0, 7), at(1, 6), mark(0, 20),
        testing::end_of_input{});
    CHECK(said
        == "L3 R4 (5 -inf -inf) (5 9 5) (7 9 7) R6 (20 9 9) (inf 9 9) (inf inf inf) end");
    CHECK(run.records == std::vector<std::int64_t>{3, 4, 6});
}

TEST_CASE("the watermarks of two inputs survive a restore", "[op][join]") {
    std::string plain;
    std::string restored;
    auto const steps = [](auto const& how, std::string& into) {
        auto const value = map([](row const& r) { return r.value; });
        return play(how, told(side(0) | value, side(1) | value, into),
            at(0, 3), mark(0, 5), mark(1, 9), mark(0, 5), mark(1, 7), mark(0, 8), at(1, 1), testing::end_of_input{});
    };
    auto const first = steps(testing::play_mode{}, plain);
    auto const again = steps(testing::play_mode{.restoring = true}, restored);
    CHECK(plain == restored);
    CHECK(again.changed_by_restore == 0);
    CHECK(again.records == first.records);
}

namespace {
/// Two logs under a streaming job.
struct two_logs {
    std::string said;
    memory_log<event<std::int64_t>> left;
    memory_log<event<std::int64_t>> right;
    static auto input(auto name) { return from<event<std::int64_t>>(name) | assign_time(bounded_disorder{}); }
};
}  // namespace

TEST_CASE("an idle input leaves the watermark of both, and what it then brings is judged by that", "[op][join]") {
    two_logs in;
    static event_time clock_says;
    clock_says = event_time{0};
    auto const pipe = told(two_logs::input("left"_name), two_logs::input("right"_name), in.said);
    job running{stream{.clock = [] { return clock_says; }, .idle_after = 10_s}, pipe, bind("left"_name, in.left),
        bind("right"_name, in.right)};
    in.left.append({1, event_time{10}});
    in.right.append({1, event_time{11}});
    in.left.append({1, event_time{12}});
    in.left.append({1, event_time{50}});
    running.poll();
    CHECK(in.said == "L10 (10 -inf -inf) R11 (10 11 10)");
    in.said.clear();
    clock_says = event_time{0} + 11_s;
    running.poll();
    running.poll();
    CHECK(in.said == "L12 (12 12 12) L50 (50 50 50)");
}

TEST_CASE("changes come in on either side", "[op][join]") {
    std::string said;
    two_logs in;
    auto const sums = two_logs::input("left"_name) | key_by([](std::int64_t n) { return n % 2; })
        | window(tumbling{10_ns}, allowed_lateness{100_ns}) | aggregate(sum([](std::int64_t n) { return n; }));
    auto const pipe = told(two_logs::input("right"_name), sums, said);
    in.left.append({3, event_time{1}});
    in.left.append({4, event_time{15}});
    in.left.append({5, event_time{2}});
    in.right.append({7, event_time{2}});
    run(stream{.until = until::drained}, pipe, bind("left"_name, in.left), bind("right"_name, in.right));
    CHECK(said == "(-inf 1 -inf) L2 (2 1 1) R+9 (2 15 2) R-+9 (inf 15 15) R+19 (inf inf inf) end");
}

TEST_CASE("a plan shows both inputs of an operator over two", "[op][join][explain]") {
    std::string said;
    auto const pipe = told(two_logs::input("left"_name), two_logs::input("right"_name), said);
    auto const text = explain(pipe);
    INFO(text);
    CHECK(text.find("told") == 0);
    CHECK(text.find("\n    from \"left\"") != std::string::npos);
    CHECK(text.find("\n    from \"right\"") != std::string::npos);
    CHECK(fingerprint(pipe) != fingerprint(two_logs::input("left"_name)));
}

TEST_CASE("the inputs are read by their own times, whatever time the rows are given behind", "[op][join]") {
    struct later {
        static event_time of(std::int64_t n) { return event_time{1000 - n}; }
    };
    std::string said;
    two_logs in;
    auto const pipe = told(two_logs::input("left"_name), two_logs::input("right"_name), said)
        | assign_time([](std::int64_t n) { return later::of(n); }, bounded_disorder{1_s});
    for (auto const t : {1, 4, 5}) in.left.append({t, event_time{t}});
    for (auto const t : {2, 3, 6}) in.right.append({t, event_time{t}});
    run(batch{}, pipe, bind("left"_name, in.left), bind("right"_name, in.right));
    std::string records;
    for (std::size_t i = 0; i < said.size(); ++i) {
        if (said[i] == 'L' || said[i] == 'R') records += said.substr(i, 2);
    }
    CHECK(records == "L1R2R3L4L5R6");
}
