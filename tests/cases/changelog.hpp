// SPDX-License-Identifier: BSL-1.0
// What comes out of tables and joins, as text: "k=v@5" for a row of key k that is there from 5 on, "k del@7" for one
// that has gone; and scripts of rows on two sides.
#ifndef DRIFTLESS_TESTS_CASES_CHANGELOG_HPP
#define DRIFTLESS_TESTS_CASES_CHANGELOG_HPP

#include <driftless/core/operator.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>
#ifdef DRIFTLESS_CRASH_CASES
#include <faults/case_world.hpp>
#endif

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace changelog {
using namespace driftless;
using namespace driftless::literals;

/// A row on one of two sides: `value` 0 or "" deletes.
struct row {
    std::int64_t side;
    std::string key;
    std::string value;
};

inline std::string text_of(std::string const& s) { return s; }
inline std::string text_of(text s) { return s.str(); }
inline std::string text_of(std::int64_t n) { return std::to_string(n); }
inline std::string text_of(unkeyed) { return "all"; }
inline std::string text_of(row const& r) { return r.value; }
template <class K, class V>
std::string text_of(pane<K, V> const& p) {
    return text_of(p.value);
}
template <class T>
    requires requires(T const& t) { t.shown(); }
std::string text_of(T const& t) {
    return t.shown();
}

template <class Next>
class writing_stage : public forwarding<Next> {
public:
    using forwarding<Next>::forwarding;
    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        this->next_.on_record(plain(ctx), key_of(ctx) + "=" + text_of(record) + "@" + std::to_string(ctx.at.ns()));
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& what) {
        if (what.after != nullptr) on_record(ctx, *what.after);
        else this->next_.on_record(plain(ctx), key_of(ctx) + " del@" + std::to_string(ctx.at.ns()));
    }

private:
    template <class Ctx>
    static context<> plain(Ctx const& ctx) {
        return {.at = ctx.at};
    }
    template <class Ctx>
    static std::string key_of(Ctx const& ctx) {
        if constexpr (std::is_same_v<Ctx, context<unkeyed>>) return "all";
        else return text_of(*ctx.key);
    }
};
/// Turns rows and changes into text.
struct as_text : operator_base<as_text> {
    static constexpr std::string_view kind = "as_text";
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = stream_of<std::string, true>;
    template <class In>
    static constexpr void refuse() {}
    template <class In, class Mode, class Next>
    auto bind(Next next, auto const&) const {
        return writing_stage<Next>{std::move(next)};
    }
};

using move = testing::detail::step<row>;
inline move put(std::string key, std::string value, std::int64_t at, std::int64_t side = 0) {
    return event<row>{{side, std::move(key), std::move(value)}, event_time{at}};
}
inline move del(std::string key, std::int64_t at, std::int64_t side = 0) { return put(std::move(key), "", at, side); }
inline move wm(std::int64_t at) { return testing::watermark{event_time{at}}; }
inline move end() { return testing::end_of_input{}; }

constexpr auto gone = [](row const& r) { return r.value.empty(); };
constexpr auto rows = from<event<row>>() | key_by<&row::key>();
constexpr auto both_sides = from<event<row>>("rows"_name);
constexpr auto left = both_sides | filter([](row const& r) { return r.side == 0; }) | key_by<&row::key>();
constexpr auto right = both_sides | filter([](row const& r) { return r.side == 1; }) | key_by<&row::key>();

/// What each step brought, rows apart by a blank; "" for a step that brought nothing.
using lines = std::vector<std::string>;
struct outcome {
    lines brought;
    lines rows;  // one by one
    driftless::report report;
};
template <class P>
outcome play_once(P const& pipeline, std::vector<move> const& moves, bool restoring, std::size_t threads) {
    testing::script<row> script;
    for (auto const& each : moves) script.add(each);
    testing::play_mode const mode{.threads = threads, .restoring = restoring};
    auto const out = testing::play_script(mode, pipeline | as_text{}, script);
    CHECK(out.changed_by_restore == 0);
    outcome made{{}, {}, out.report};
    for (std::size_t i = 0; i < moves.size(); ++i) {
        std::string line;
        for (auto const& each : out.values_at(i)) {
            line += (line.empty() ? "" : " ") + each;
            made.rows.push_back(each);
        }
        made.brought.push_back(line);
    }
    return made;
}
/// Plays a case as it stands, and restored after every step, on 1 and 3 threads.
template <class P>
outcome check(P const& pipeline, std::vector<move> const& moves, lines const& expected) {
    auto const once = play_once(pipeline, moves, false, 1);
    CHECK(once.brought == expected);
#ifdef DRIFTLESS_CRASH_CASES  // in tests/faults
    if constexpr (faults::is_chain<P>()) {
        faults::crash_case<row>(pipeline | as_text{}, moves, once.rows, [](std::string const& shown) { return shown; });
    }
#else
    for (std::size_t const threads : {1u, 3u}) {
        auto const other = play_once(pipeline, moves, true, threads);
        INFO("restoring, threads " << threads);
        CHECK(other.brought == once.brought);
    }
#endif
    return once;
}
}  // namespace changelog
BOOST_HANA_ADAPT_STRUCT(changelog::row, side, key, value);
#endif
