// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_FEEDER_HPP
#define EXAMPLES_EXACTLY_ONCE_FEEDER_HPP

#include "payments.hpp"

#include <driftless/io/csv.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace payments {

/// An error's sentence without the name of the library.
inline std::string plain(std::string_view sentence) {
    constexpr std::string_view prefix = "driftless: ";
    return std::string{sentence.starts_with(prefix) ? sentence.substr(prefix.size()) : sentence};
}

/// Set by SIGINT and SIGTERM.
extern std::atomic<bool> interrupted;
/// --watch was given.
extern bool watched;
static_assert(std::atomic<bool>::is_always_lock_free);

/// What the log holds of each producer: the sequence that comes next.
///
/// Errors      mismatch if a producer's lines are not in the log one after the other, each once: its books are wrong.
class producers {
    std::map<std::uint64_t, std::uint64_t> next_{};

public:
    explicit producers(payment_log const& log) {
        for (auto at = log.begin_offset(), end = log.end_offset(); at < end;) {
            auto const block = log.read(0, at);
            for (std::size_t i = 0; i < block.size(); ++i) {
                payment const& of = block[i];
                if (is_next(of)) continue;
                throw dl::error{dl::error_code::mismatch,
                    "the log has sequence " + std::to_string(of.sequence) + " of producer "
                        + std::to_string(of.producer) + " where " + std::to_string(next_[of.producer]) + " comes next",
                    log.path(), at + i};
            }
            at += block.size();
        }
    }
    [[nodiscard]] std::size_t count() const { return next_.size(); }
    /// Nothing is known of it yet.
    [[nodiscard]] bool is_new(std::uint64_t producer) const { return !next_.contains(producer); }
    [[nodiscard]] std::uint64_t next_of(std::uint64_t producer) const { return next_.at(producer); }
    /// The payment follows those before it; it is noted.
    bool is_next(payment const& of) {
        auto const [at, fresh] = next_.try_emplace(of.producer, of.sequence);
        if (at->second != of.sequence) return false;
        ++at->second;
        return true;
    }
};

/// Reads the input into the log: what the log does not have yet.
struct feeder {
    std::string input;
    std::uint64_t rate = 0;
    std::uint64_t die_after = 0;
    payment_log& log;
    std::atomic<bool>& stop;

    std::uint64_t appended = 0;
    std::uint64_t left_out = 0;  // it is in the log
    std::atomic<bool> done{false};

    /// Until the end of the input, or until somebody says stop.
    ///
    /// Errors      malformed, with file and line.
    void run();
    /// How many lines of the input the log does not have.
    [[nodiscard]] std::uint64_t count_new();

private:
    template <class F>
    void each_new(F&& f);
};
}  // namespace payments
#endif
