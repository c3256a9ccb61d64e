// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_GUARD_HPP
#define DRIFTLESS_VIEW_GUARD_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/view/measures.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a guard wants done.
enum class guard_action : std::uint8_t {
    go_on,
    stop,       ///< the version on trial is not to go on; before a cut-over
    roll_back,  ///< readers go back to the version before
};
constexpr std::string_view to_string(guard_action what) noexcept {
    return what == guard_action::go_on ? "go on" : what == guard_action::stop ? "stop"
                                                                              : "roll back";
}

/// A decision of a guard, and why.
struct guard_decision {
    guard_action action = guard_action::go_on;
    std::string guard;  ///< its name
    std::string why;    ///< a sentence; empty where it may go on

    friend bool operator==(guard_decision const&, guard_decision const&) = default;
    explicit operator bool() const noexcept { return action == guard_action::go_on; }
    [[nodiscard]] std::string str() const {
        auto out = guard + ": " + std::string{to_string(action)};
        return why.empty() ? out : out + ", " + why;
    }
};

/// Of the records read since the last look more than `most` were left out: refused by a stage, or because a function
/// threw. A record that several stages or windows refuse counts once for each of them.
///
/// least       so many records have to be looked at before it judges: of ten records one is no rate
/// Time        The rate of a span of at least `least` records: what was bad long ago does not weigh for ever.
struct error_rate {
    double most = 0.01;          ///< 0 to 1; a rate of just that is good
    std::uint64_t least = 1000;  ///< records, at least 1
    bool count_duplicates = false;  ///< what dedup leaves out is part of the answer, and no error
};
/// It is further behind its logs than it may be, for longer than `patience` at a stretch.
struct most_lag {
    std::uint64_t records = ~std::uint64_t{0};  ///< so many are good
    duration time = duration::max();            ///< between the newest record of the logs and the newest one read
    duration patience{60'000'000'000};          ///< by the clock of the measures
};
/// It has been started more often than that within a span of time.
struct most_starts {
    std::uint64_t count = 5;  ///< so many are good
};

/// Watches a version by its measures, and says when it must not go on. The first guard that wants more than to go on
/// decides; what it said stands: a guard that has tripped stays so until reset().
///
///     guards watch;
///     watch.add(error_rate{.most = 0.001}).add(most_lag{.records = 100'000, .patience = 5_min});
///     if (auto const said = watch.look(measured); !said) shop.roll_back(said.str());
///
/// Shape       measures (view/measures.hpp) -> decision. Before a cut-over the action is `stop`, after one `roll_back`.
/// State       Of each guard a few numbers, in memory: after a restart rates and patience begin anew. Starts are
///             counted in a file (start_count in view/crash_loop.hpp).
/// Time        That of the measures, by whoever took them: no guard looks at a clock.
/// Errors      A parameter out of its range: invalid_argument, when the guard is added. A guard of the user's that
///             throws has tripped.
class guards {
public:
    /// Of the user's: why it must not go on, or nothing.
    using check = std::function<std::string(measures const&)>;

    guards& add(error_rate what, std::string name = "error rate") {
        if (!(what.most >= 0 && what.most <= 1) || what.least == 0) {
            throw error{error_code::invalid_argument, "error_rate needs `most` from 0 to 1 and `least` of at least 1"};
        }
        return add(std::move(name), [what, before = measures{}, begun = false](measures const& now) mutable {
            // Counters that went back are those of another run.
            if (!begun || now.records < before.records || bad(now, what) < bad(before, what)) {
                begun = true;
                before = {};
                if (now.records < what.least) return std::string{};
            }
            auto const read = now.records - before.records;
            if (read < what.least) return std::string{};
            auto const errors = bad(now, what) - bad(before, what);
            before = now;
            auto const rate = static_cast<double>(errors) / static_cast<double>(read);
            if (rate <= what.most) return std::string{};
            return std::to_string(errors) + " of " + std::to_string(read) + " records were left out";
        });
    }
    guards& add(most_lag what, std::string name = "lag") {
        if (what.patience < duration{} || what.time < duration{}) {
            throw error{error_code::invalid_argument, "most_lag needs a time and a patience of at least 0"};
        }
        return add(std::move(name), [what, since = event_time::max()](measures const& now) mutable {
            bool const behind = now.lag_records > what.records || now.lag_time > what.time;
            if (!behind) since = event_time::max();
            else if (since == event_time::max()) since = now.at;
            if (!behind || now.at - since < what.patience) return std::string{};
            auto out = std::to_string(now.lag_records) + " records behind";
            if (now.lag_time > duration{}) out += ", " + detail::plan_text(now.lag_time) + " in event time";
            return out + ", for " + detail::plan_text(now.at - since);
        });
    }
    guards& add(most_starts what, std::string name = "crash loop") {
        return add(std::move(name), [what](measures const& now) {
            return now.starts <= what.count ? std::string{}
                                            : std::to_string(now.starts) + " starts in a short time";
        });
    }
    guards& add(std::string name, check const& f) {
        all_.push_back({std::move(name), f, f});
        return *this;
    }

    /// Asks all guards, in the order in which they were added; each sees every look.
    guard_decision look(measures const& now) {
        for (auto& each : all_) {
            std::string why;
            try {
                why = each.f(now);
            } catch (std::exception const& problem) {
                why = std::string{"the guard threw: "} + problem.what();
            }
            if (why.empty() || tripped_.action != guard_action::go_on) continue;
            tripped_ = {now.serving ? guard_action::roll_back : guard_action::stop, each.name, std::move(why)};
        }
        return tripped_;
    }
    /// These guards as one guard of a deployment: deployment.guard_with("guards", watch.as_guard()). They are borrowed.
    /// They begin anew with each version. `also` is called with what the deployment knows, and adds what else was
    /// measured.
    template <class F>
    [[nodiscard]] auto as_guard(F also) {
        return [this, also = std::move(also)](auto const& health) {
            if (watched_ != 0 && watched_ != health.about.number) begin_anew();
            watched_ = health.about.number;
            auto now = measured(health.about, health.lag, health.now);
            now.starts = health.starts;
            now.serving = health.phase == decltype(health.phase)::watching;
            also(now);
            auto const said = look(now);
            return said ? std::string{} : said.guard + ": " + said.why;
        };
    }
    [[nodiscard]] auto as_guard() {
        return as_guard([](measures&) {});
    }
    /// What was said; go_on if none has tripped.
    [[nodiscard]] guard_decision const& decision() const noexcept { return tripped_; }
    /// What was said is forgotten, and may be said again; what each guard has seen stays.
    void reset() { tripped_ = {}; }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

private:
    struct named {
        std::string name;
        check f;
        check fresh;  // as it was added: what it remembers is of one version
    };
    std::vector<named> all_;
    guard_decision tripped_;
    std::uint64_t watched_ = 0;  // the version that as_guard() has been shown

    void begin_anew() {
        reset();
        for (auto& each : all_) each.f = each.fresh;
    }
    static std::uint64_t bad(measures const& of, error_rate const& what) noexcept {
        return of.left_out(what.count_duplicates);
    }
};
}  // namespace driftless::inline v0
#endif
