// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_LEFT_OUT_HPP
#define DRIFTLESS_CODEC_DETAIL_LEFT_OUT_HPP

#include <driftless/codec/subject.hpp>
#include <driftless/core/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0::detail {

/// The keys that a thread leaves out when it reads the state of stages: those of erased subjects (run/erase_state.hpp).
/// Whoever reads entries asks drops(key) for each, and reads one that is dropped into nothing.
///
/// Threads     That of the object: while it lives, state that the thread reads goes by it.
class left_out {
    static constinit inline thread_local left_out* current_ = nullptr;  // NOLINT(readability-identifier-naming)

    void const* who_;
    bool (*has_)(void const* who, std::string_view subject);
    std::string scratch_;
    std::uint64_t asked_ = 0;
    std::uint64_t asked_before_ = 0;  // the member that is being read
    std::vector<std::string> passed_by_;
    std::uint64_t dropped_ = 0;
    left_out* outer_ = current_;

public:
    /// who         has contains_bytes(bytes of a subject_id); it outlives this
    template <class Who>
    explicit left_out(Who const& who)
        : who_(&who), has_([](void const* of, std::string_view subject) {
              return static_cast<Who const*>(of)->contains_bytes(subject);
          }) {
        current_ = this;
    }
    ~left_out() { current_ = outer_; }
    left_out(left_out const&) = delete;
    left_out& operator=(left_out const&) = delete;

    [[nodiscard]] static left_out* current() noexcept { return current_; }
    /// True for the key of an entry that is not to be kept.
    template <class Key>
    [[nodiscard]] DRIFTLESS_INLINE static bool drops(Key const& key) {
        return current_ != nullptr && current_->ask(key);
    }
    /// For what has more than a key to ask about, and is not state of a stage.
    [[nodiscard]] bool contains_bytes(std::string_view subject) const { return has_(who_, subject); }
    void note_dropped() noexcept { ++dropped_; }
    /// Keys that were asked about, and those that were dropped.
    [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    /// The state of a stage has been read. One that holds something, and has asked about no key, kept all of it.
    void member_read(std::string const& name, bool holds) {
        if (holds && asked_ == asked_before_) passed_by_.push_back(name);
        asked_before_ = asked_;
    }
    /// Stages that did so.
    [[nodiscard]] std::vector<std::string> const& passed_by() const noexcept { return passed_by_; }

private:
    template <class Key>
    DRIFTLESS_NOINLINE bool ask(Key const& key) {
        ++asked_;
        bool const drop =
            names_subject(key, scratch_, [this](std::string_view subject) { return has_(who_, subject); });
        if (drop) ++dropped_;
        return drop;
    }
};
}  // namespace driftless::inline v0::detail
#endif
