// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ANSWER_JOURNAL_HPP
#define DRIFTLESS_OP_DETAIL_ANSWER_JOURNAL_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/answer_source.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace driftless::inline v0::detail {
/// How far one operator has read the answers that were written down, and whether it asks by itself now.
///
/// Answers of one operator stand in the order of its records, those of several among each other. So a place in the
/// journal is all there is to know.
class answer_journal {
    answers_ref const* log_;
    std::string name_;
    std::uint64_t next_ = 0;  // the entry that is looked at next
    bool live_ = false;       // all that there was has been read
    std::optional<answer_entry> held_{};  // what stands at next_, if it has been read

public:
    answer_journal(answers_ref const* log, std::string name) : log_(log), name_(std::move(name)) {}

    [[nodiscard]] bool kept() const noexcept { return log_->log != nullptr; }
    /// What was answered to the nth record, if that has been written down. Asked for in the order of the records.
    std::optional<answer_entry> find(std::uint64_t nth, std::uint64_t record_hash) {
        if (!kept() || live_) return std::nullopt;
        for (; next_ < log_->size(log_->log); ++next_) {
            auto entry = log_->read(log_->log, next_);
            if (entry.operator_name != name_ || entry.nth < nth) continue;
            if (entry.nth > nth || entry.record_hash != record_hash) refuse(nth);
            ++next_;
            return entry;
        }
        live_ = true;
        return std::nullopt;
    }
    /// The next answer of this operator, whose ever it is; null if there is none. It stays so until pass().
    answer_entry const* peek() {
        if (held_) return &*held_;
        if (!kept() || live_) return nullptr;
        for (; next_ < log_->size(log_->log); ++next_) {
            auto entry = log_->read(log_->log, next_);
            if (entry.operator_name == name_) return &held_.emplace(std::move(entry));
        }
        live_ = true;
        return nullptr;
    }
    void pass() noexcept {
        held_.reset();
        ++next_;
    }
    /// Calls f(entry) for the answers of this operator from the next on, until it says false.
    void each(auto&& f) const {
        for (auto i = next_; i < log_->size(log_->log); ++i) {
            auto entry = i == next_ && held_ ? *held_ : log_->read(log_->log, i);
            if (entry.operator_name == name_ && !f(entry)) return;
        }
    }
    /// Before an answer is handed on.
    void write(answer_entry& entry) {
        entry.operator_name = name_;
        log_->append(log_->log, entry);
    }

    [[noreturn]] void refuse(std::uint64_t nth) const {
        throw error{error_code::mismatch,
            sentence({name_, ": the answers that were written down do not fit record ", nth,
                " of it: they are of another run, or begin before the snapshot"})};
    }

    void save_state(auto& out) const {
        out.write(!kept() ? std::uint64_t{0} : live_ ? log_->size(log_->log)
                                                     : next_);
    }
    void load_state(auto& in) {
        in.read(next_);
        live_ = false;
        held_.reset();
        if (!kept() || next_ <= log_->size(log_->log)) return;
        throw error{error_code::mismatch,
            sentence({"the snapshot was taken after ", next_, " answers had been written down, and there are ",
                log_->size(log_->log), ": they are of another job, or have lost their end"})};
    }
};
}  // namespace driftless::inline v0::detail
#endif
