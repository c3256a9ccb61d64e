// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_SERVICES_HPP
#define DRIFTLESS_CORE_SERVICES_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/answer_source.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/stream.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace driftless::inline v0 {

/// A record that could not be processed: where it came from, who refused it and why.
struct dead_letter {
    std::string operator_name;
    std::string why;
    std::uint64_t offset = origin::nowhere;
    std::uint32_t partition = 0;
    std::uint32_t input = 0;
};

/// What a run does with a record whose user function throws or whose exact result does not fit.
class error_policy {
public:
    enum class action : std::uint8_t {
        fail,
        skip,
        dead_letter
    };
    using deliver_t = void (*)(void* target, dead_letter const&);

    constexpr error_policy() = default;
    constexpr explicit error_policy(action what, void* target = nullptr, deliver_t function = nullptr) noexcept
        : target_(target), deliver_(function), action_(what) {}

    [[nodiscard]] constexpr action policy() const noexcept { return action_; }
    void deliver(dead_letter const& letter) const {
        if (deliver_ != nullptr) deliver_(target_, letter);
    }

private:
    void* target_ = nullptr;
    deliver_t deliver_ = nullptr;
    action action_ = action::fail;
};

/// The policies a run can be given: batch{.on_error = on_error::skip}.
namespace on_error {
/// The run stops with a driftless::error that names operator and offset (default).
inline constexpr error_policy fail{error_policy::action::fail};
/// The record is left out and counted as refused, reason `failed`.
inline constexpr error_policy skip{error_policy::action::skip};
/// As skip, and `receive(dead_letter const&)` gets offset, operator and reason; a log gets it appended.
template <class Receiver>
constexpr error_policy dead_letter(Receiver& receive) noexcept {
    return error_policy{error_policy::action::dead_letter, &receive,
        [](void* target, driftless::dead_letter const& letter) {
            auto& to = *static_cast<Receiver*>(target);
            if constexpr (requires { to.append(letter); }) {
                to.append(letter);
            } else {
                to(letter);
            }
        }};
}
}  // namespace on_error

namespace detail {
/// How many records failed, by who failed them and how.
class failure_kinds {
public:
    struct kind {
        operator_label label{};
        error_code code{};
        std::uint64_t records = 0;
    };
    void add(operator_label label, error_code code, std::uint64_t records = 1) {
        for (auto& each : kinds_) {
            if (each.label == label && each.code == code) return void(each.records += records);
        }
        kinds_.push_back(kind{label, code, records});
    }
    void add(failure_kinds const& other) {
        for (auto const& each : other.kinds_) add(each.label, each.code, each.records);
    }
    void clear() noexcept { kinds_.clear(); }
    [[nodiscard]] growing_array<kind> const& all() const noexcept { return kinds_; }

private:
    growing_array<kind> kinds_;  // one per operator and code: few
};
}  // namespace detail

/// What a job lends its stages: the error policy, the count of failures, and threads.
///
/// State       One per job, at a stable address; used by the thread that runs the job.
class run_services {
public:
    error_policy policy{};
    executor* threads = nullptr;  ///< workers for key shards; null means one thread
    bool partials = false;        ///< the first aggregate is fed by workers, each with a core of its own
    account failures{.label = {"user functions", {}}};
    detail::failure_kinds failed_as{};  ///< the same since the job was started, by operator and code
    answer_source* asking = nullptr;    ///< those who wait for the outside: a list
    std::uint64_t answers_handed_on = 0;
    answers_ref answers{};              ///< where answers are written down

    /// Who waits for the outside; null if nobody does.
    [[nodiscard]] answer_source* waiting() const noexcept {
        auto* each = asking;
        while (each != nullptr && !each->waits()) each = each->next;
        return each;
    }

    /// Inside a catch block: applies the policy to the exception in flight.
    DRIFTLESS_NOINLINE void user_function_threw(operator_label label, origin from) {
        try {
            throw;
        } catch (error const& problem) {
            failed(label, from, problem.code(), problem.what());
        } catch (std::exception const& problem) {
            failed(label, from, error_code::user_function, problem.what());
        } catch (...) {
            failed(label, from, error_code::user_function, "an exception that is not a std::exception");
        }
    }

    /// Applies the policy to a failure: throws under `fail`, else counts and reports it.
    void failed(operator_label label, origin from, error_code code, std::string const& why) {
        if (policy.policy() == error_policy::action::fail) {
            throw error{code,
                detail::sentence({label.str(), " failed: ", why, " (partition ", std::uint64_t{from.partition},
                    "); to go on without such records, run with .on_error = on_error::skip or dead_letter"}),
                {}, from.offset};
        }
        failures.refuse(reason::failed);
        failed_as.add(label, code);
        policy.deliver({label.str(), why, from.offset, from.partition, from.input});
    }
};
}  // namespace driftless::inline v0
#endif
