// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VERSIONED_VIEW_READER_HPP
#define DRIFTLESS_VIEW_VERSIONED_VIEW_READER_HPP

#include <driftless/view/versioned_view.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace driftless::inline v0 {

/// Reads a versioned view that another process writes: the current version, as of the last snapshot of its job.
///
/// Shape       refresh() looks whether there is something newer and reads it; readers that hold a session keep what
///             they have. A version is read whole before anybody is given it.
/// State       The rows in memory: those that are current, and those that sessions hold.
/// Errors      driftless::error: not_there if there is no such view, or no version is current; corrupt, io. After an
///             error readers keep what they had.
/// Threads     read() and read_for() any number; refresh() one.
/// Complexity  refresh() reads one small file and a list; O(rows) when something is new.
template <class K, class V, class View = view<K, V>>
class versioned_view_reader {
    using version = built_version<View>;
    using switch_t = detail::pinned_switch<version>;
    using place = typename switch_t::place;

    std::string folder_;
    file_system* files_;
    view_options rows_;
    switch_t switch_;
    typename switch_t::line current_{nullptr};
    typename switch_t::line canary_{nullptr};
    std::atomic<std::uint32_t> canary_share_{0};
    std::atomic<std::uint64_t> generation_{0};

public:
    using session = read_session<View>;

    explicit versioned_view_reader(std::string folder, file_system& files = real_files(), view_options rows = {})
        : folder_(std::move(folder)), files_(&files), rows_(std::move(rows)) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        refresh();
    }

    /// Takes up what the writer has made visible since; true if there was something.
    bool refresh() {
        for (int tries = 0;; ++tries) {
            auto const list = detail::read_listed_versions(folder_, *files_);
            if (!list) throw error{error_code::not_there, "there is no versioned view in this folder", folder_};
            // A version may be retired between two looks: then the list has changed, and is read again.
            auto const moved = take_up(current_, list->current);
            auto const tried = moved ? take_up(canary_, list->canary) : std::nullopt;
            if (!moved || !tried) {
                if (tries < 100) continue;
                throw error{error_code::corrupt, "the list names a version that has no rows", folder_};
            }
            canary_share_.store(list->canary_share, std::memory_order_release);
            bool const listed = generation_.exchange(list->generation, std::memory_order_acq_rel) != list->generation;
            switch_.collect();
            return listed || *moved || *tried;
        }
    }

    /// The version that was current at the last refresh().
    [[nodiscard]] session read() const {
        auto held = switch_t::pin_current(current_);
        if (!held) throw error{error_code::not_there, "no version of this view is current yet", folder_};
        return session{std::move(held)};
    }
    /// As versioned_view::read_for.
    template <class Key>
    [[nodiscard]] session read_for(Key const& key) const {
        auto const share = canary_share_.load(std::memory_order_acquire);
        if (share != 0 && versioned_view<K, V, View>::canary_slot(key) < share) {
            if (auto held = switch_t::pin_current(canary_)) return session{std::move(held)};
        }
        return read();
    }
    /// The generation of the versions that is read.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
    /// True if something newer was taken up; nothing if the version has no rows, or none any more.
    std::optional<bool> take_up(typename switch_t::line& into, std::uint64_t number) {
        auto* const held = into.load(std::memory_order_relaxed);
        if (number == 0) {
            into.store(nullptr, std::memory_order_seq_cst);
            if (held != nullptr) switch_.drop(*held);
            return held != nullptr;
        }
        auto const of = detail::version_folder(folder_, number);
        auto const newest = detail::newest_rows_in(of, *files_);
        if (held != nullptr && (*held)->number() == number && (*held)->about().snapshot == newest) return false;
        if (newest == 0) return std::nullopt;
        build about;
        about.number = number;
        auto fresh = std::make_unique<version>(std::move(about), rows_);
        auto found = detail::read_rows<K, V>(of, detail::rows_name(newest, false), fresh->rows(), *files_);
        if (!found) return std::nullopt;
        found->number = number;
        found->snapshot = newest;
        detail::show_rows(fresh->rows(), *found);
        fresh->tell(std::move(*found));
        into.store(switch_.add(std::move(fresh)), std::memory_order_seq_cst);
        if (held != nullptr) switch_.drop(*held);
        return true;
    }
};
}  // namespace driftless::inline v0
#endif
