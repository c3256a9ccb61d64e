// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_TRIAL_CHECKS_HPP
#define DRIFTLESS_VIEW_DETAIL_TRIAL_CHECKS_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/deployment_options.hpp>

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// What f threw, as a sentence; empty if nothing.
template <class F>
std::string thrown_by(F&& f) {
    try {
        f();
        return {};
    } catch (std::exception const& problem) {
        return problem.what();
    }
}

/// What a version on trial must pass, once, and what watches it, all the time.
template <class View>
class trial_checks {
public:
    using validator = std::function<std::string(View const* current, View const& fresh, build const& about)>;
    using guard = std::function<std::string(trial_health const&)>;

private:
    std::vector<std::pair<std::string, validator>> validators_;
    std::vector<std::pair<std::string, guard>> guards_;

public:
    void add(std::string name, validator f) { validators_.emplace_back(std::move(name), std::move(f)); }
    void watch(std::string name, guard f) { guards_.emplace_back(std::move(name), std::move(f)); }

    /// What is wrong with a version, as all validators say; one that throws says what it threw.
    [[nodiscard]] std::string wrong(View const* current, View const& fresh, build const& about) const {
        std::string out;
        for (auto const& [name, asked] : validators_) {
            std::string found;
            auto const threw = thrown_by([&] { found = asked(current, fresh, about); });
            if (!threw.empty()) found = threw;
            if (!found.empty()) out += (out.empty() ? "" : "; ") + name + ": " + found;
        }
        return out;
    }
    [[nodiscard]] bool watches() const noexcept { return !guards_.empty(); }
    /// Why it must not go on, as the first guard says that objects.
    [[nodiscard]] std::string objection(trial_health const& health) const {
        for (auto const& [name, asked] : guards_) {
            if (auto const why = asked(health); !why.empty()) return sentence({"guard ", name, ": ", why});
        }
        return {};
    }
};
}  // namespace driftless::inline v0::detail
#endif
