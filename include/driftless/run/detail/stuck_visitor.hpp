// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_STUCK_VISITOR_HPP
#define DRIFTLESS_RUN_DETAIL_STUCK_VISITOR_HPP

#include <driftless/core/time.hpp>
#include <driftless/run/detail/bindings.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/time/watermark.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0::detail {
/// The name of an input, as messages say it.
template <class... Sources>
std::string input_text(type_list<Sources...>, std::uint32_t input) {
    if constexpr (sizeof...(Sources) == 1) {
        return "the input";
    } else {
        std::string_view const names[] = {Sources::name_type::value...};
        return "input '" + std::string{names[input]} + "'";
    }
}

/// Says of the stages of one input who holds the watermark, and what waits for it: a line each.
class stuck_visitor {
    std::string& out_;
    std::string of_;  // the input
    event_time watermark_ = event_time::min();

public:
    stuck_visitor(std::string& out, std::string input) : out_(out), of_(std::move(input)) {}

    template <class T>
    void operator()(std::string_view name, T& member) {
        if constexpr (std::is_same_v<T, event_time>) {
            if (name == "watermark") watermark_ = member;
        } else if constexpr (std::is_same_v<T, partition_clock>) {
            say("the watermark of " + of_ + " is " + plan_text(watermark_));
            holders(member.partitions(), "partition ", "newest record is at ");
        } else if constexpr (std::is_same_v<T, watermark_valve>) {
            watermark_ = member.output();
            say("the watermark behind merge is " + plan_text(watermark_));
            holders(member, "input ", "watermark is ");
        } else if constexpr (requires { member.next_due(); }) {
            waits(member);
        } else if constexpr (requires { std::remove_cvref_t<decltype(member.core())>::fires_at_end; }) {
            say(member.books().label.str()
                + " answers when the input ends: put window(...) or as_inserts() before it for answers before that");
        }
    }

private:
    void say(std::string const& line) {
        if (!out_.empty()) out_ += '\n';
        out_ += line;
    }
    void also(std::string const& more) { ((out_ += "; ") += more); }

    /// Those who are not ahead of the least.
    void holders(watermark_valve const& of, char const* what, char const* at) {
        if (of.inputs() < 2 || watermark_ == event_time::max()) return;
        bool any = false;
        for (std::size_t i = 0; i < of.inputs(); ++i) {
            if (of.counts(i) && of.watermark_of(i) <= of.output()) {
                any = true;
                auto const since = of.watermark_of(i);
                also(what + std::to_string(i) + " holds it: "
                    + (since == event_time::min() ? std::string{"nothing has come from it"}
                                                  : "its " + std::string{at} + plan_text(since)));
            } else if (!of.has_ended(i) && (of.is_idle(i) || !of.is_aligned(i))) {
                also(what + std::to_string(i) + (of.is_idle(i) ? " is idle" : " is back from idle, and not there yet"));
            }
        }
        if (!any && of.quiet()) also("all are idle, and on_quiet::hold keeps it");
    }
    template <class Stage>
    void waits(Stage const& stage) {
        auto const label = stage.books().label.str();
        auto const due = stage.next_due();
        if constexpr (requires { stage.core().passed_on(); }) {
            if (stage.core().passed_on() < watermark_) {
                say(label + " hands on the watermark up to " + plan_text(stage.core().passed_on())
                    + ": panes are to come that have times of their records");
                watermark_ = stage.core().passed_on();
            }
        }
        if (due == event_time::max()) say(label + " has nothing that waits for the watermark");
        else say(label + " waits until the watermark is " + plan_text(due) + ": it is " + plan_text(watermark_));
    }
};

/// Who has nothing to give while the records of others wait for it.
template <class Sources>
void say_who_is_waited_for(growing_array<lane*> const& lanes, std::string& out) {
    bool any = false;
    for (auto const* const each : lanes) any = any || each->has_record();
    if (!any) return;
    for (auto const* const each : lanes) {
        if (each->has_record() || each->idle) continue;
        if (!out.empty()) out += '\n';
        out += "partition " + std::to_string(each->partition) + " of " + input_text(Sources{}, each->input)
            + " has been read to its end, offset " + std::to_string(each->next)
            + ", and is not idle: records of others wait for its next one (stream{.idle_after} lets them go on)";
    }
}
}  // namespace driftless::inline v0::detail
#endif
