// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_CHANGE_EXPLANATION_HPP
#define DRIFTLESS_VIEW_CHANGE_EXPLANATION_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/trace_row.hpp>
#include <driftless/view/answer.hpp>
#include <driftless/view/audit_entry.hpp>
#include <driftless/view/reported.hpp>
#include <driftless/view/verdict.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// What explain_change() is asked: what readers were told of a row at `from` and at `to`, and why that differs.
struct change_question {
    event_time from;               ///< by the clock of the view, inclusive
    event_time to;                 ///< inclusive
    time_window window{};          ///< of the row; none for a row without a window
    std::size_t most_records = 20; ///< so many are named for each change, the newest ones
};

/// One change of an answer.
template <class V>
struct change_step {
    answer<V> before;  ///< its at() is what readers were shown last
    answer<V> after;   ///< its at() is what they were shown first
    change_cause why = change_cause::correction;
    std::string reason;               ///< of a deploy, a correction or a rollback
    std::uint64_t version = 0;        ///< of the deployment; 0 where there is none
    std::vector<row_record> records;  ///< that came since the row was written before: its part of the inputs
    std::uint64_t more_records = 0;   ///< that are not named

    [[nodiscard]] event_time at() const { return after.at().published; }
};

/// Why readers were told one thing, and later another. Made by explain_change().
///
/// State       Its answers keep versions of the view where values have text: the view outlives it.
template <class K, class V>
struct change_explanation {
    K key;
    change_question asked;
    answer<V> then;
    answer<V> now;
    std::vector<change_step<V>> steps;  ///< in the order in which readers saw them
    std::vector<row_record> refused;    ///< records of the row that came in between and were left out
    std::uint64_t more_refused = 0;     ///< that are not named
    std::vector<audit_entry> audit;     ///< what was done to the versions in between

    /// Readers are told something else.
    [[nodiscard]] bool changed() const { return text_of(then) != text_of(now); }
    /// For people: a line for the answers, one for each change, one for each record and each entry.
    [[nodiscard]] std::string str() const {
        auto out = json_of(key) + " in " + detail::window_text(asked.window) + ": " + text_of(then) + " at "
            + detail::plan_text(asked.from) + ", " + text_of(now) + " at " + detail::plan_text(asked.to) + '\n';
        if (steps.empty()) out += "  nothing has changed it\n";
        for (auto const& each : steps) {
            out += "  " + detail::plan_text(each.at()) + ": " + text_of(each.before) + " -> " + text_of(each.after)
                + ", ";
            out += to_string(each.why);
            if (each.version != 0 && !each.reason.empty()) out += " (version " + std::to_string(each.version) + ')';
            if (!each.reason.empty()) out += ": " + each.reason;
            out += '\n';
            list(out, each.records, each.more_records);
        }
        if (!refused.empty()) out += "  left out:\n";
        list(out, refused, more_refused);
        for (auto const& each : audit) out += "  audit " + each.str() + '\n';
        return out;
    }

private:
    static void list(std::string& out, std::vector<row_record> const& records, std::uint64_t more) {
        if (more != 0) out += "    " + std::to_string(more) + " records before these\n";
        for (auto const& each : records) out += "    " + each.str() + '\n';
    }
    template <class T>
    static std::string json_of(T const& value) {
        return encoded_to_json(parse_schema(schema_of<T>()), encode(value));
    }
    static std::string text_of(answer<V> const& of) { return of ? json_of(*of) : "nothing"; }
};
}  // namespace driftless::inline v0
#endif
