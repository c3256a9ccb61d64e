// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VERSIONED_VIEW_HPP
#define DRIFTLESS_VIEW_VERSIONED_VIEW_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/built_version.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/listed_versions.hpp>
#include <driftless/view/detail/pinned_switch.hpp>
#include <driftless/view/detail/rows_file.hpp>
#include <driftless/view/view.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How a versioned view is kept.
struct versioned_view_options {
    std::size_t keep = 2;             ///< so many versions stay beside those in use; certified ones do not count
    std::string git_hash{};           ///< of the program, for the builds it makes
    file_system* files = nullptr;     ///< where the folder is; null: on the disk
    event_time (*clock)() = nullptr;  ///< null: the system's
    view_options rows{};              ///< of the view of each version
};

/// From then on a version was the current one.
struct version_span {
    std::uint64_t version = 0;
    event_time since;
};

/// Several versions of one view side by side, one of them current: a new one is built while readers use the old one,
/// and all of them are moved to it at once, or back.
///
/// Shape       K, V   as the pipeline yields them, owned (std::string for text)
///             View   what holds the rows of a version: view<K, V>, or any class with write(pane), remove(key, window),
///                    for_each(f(key, window, value)) that may be read while it is written
///             The folder has a file CURRENT and a folder per version, versions/NUMBER, with files of rows.
/// State       CURRENT names all versions and says which is current; it is replaced as a whole (write, sync, rename),
///             and no other write decides anything. A folder of a version that it does not name is removed by the next
///             start. The rows of the current version are read at the start.
/// Time        A version is current from its cut-over on; these times are monotonised: a clock that was set back gives
///             the time of the one before plus 1 ns.
/// Errors      driftless::error: in_use (another process writes this folder), corrupt (also where versions have no
///             CURRENT), io, not_there. After an error while CURRENT was written nobody knows what it says: the
///             object refuses further changes (stopped); open the folder anew. Readers go on.
/// Threads     read(), read_for() and the other reads from any number of threads; changes from one.
/// Complexity  cut_over and roll_back write one small file and store one pointer. A read takes two atomic operations.
/// Source      M. Fowler, "Blue Green Deployment" (2010).
template <class K, class V, class View = view<K, V>>
class versioned_view {
    using version = built_version<View>;
    using switch_t = detail::pinned_switch<version>;
    using place = typename switch_t::place;

    std::string folder_;
    versioned_view_options options_;
    file_system* files_;
    std::unique_ptr<file> lock_;
    mutable std::mutex listing_;  // of list_, which readers of history look at
    detail::listed_versions list_;
    bool broken_ = false;
    switch_t switch_;
    typename switch_t::line current_{nullptr};
    typename switch_t::line canary_{nullptr};
    std::atomic<std::uint32_t> canary_share_{0};
    std::vector<std::pair<std::uint64_t, place*>> loaded_;  // of the writer

public:
    using key_type = K;
    using value_type = V;
    using view_type = View;
    using session = read_session<View>;

    /// Opens the folder, or makes it if its parent is there.
    explicit versioned_view(std::string folder, versioned_view_options options = {})
        : versioned_view(std::move(folder), std::move(options), true) {}
    versioned_view(versioned_view const&) = delete;
    versioned_view& operator=(versioned_view const&) = delete;

    // --- reading: any thread ------------------------------------------------------------------------------------

    /// The version that is current now; what is read of it is all of that version.
    ///
    /// Errors      not_there while no version is current.
    [[nodiscard]] session read() const {
        auto held = switch_t::pin_current(current_);
        if (!held) throw error{error_code::not_there, "no version of this view is current yet: cut one over", folder_};
        return session{std::move(held)};
    }
    [[nodiscard]] std::optional<session> try_read() const {
        auto held = switch_t::pin_current(current_);
        if (!held) return std::nullopt;
        return session{std::move(held)};
    }
    /// As read, for one key: the version on trial if the key is one of its share (canary), else the current one. A key
    /// is answered by the same version in all processes.
    template <class Key>
    [[nodiscard]] session read_for(Key const& key) const {
        if (auto const share = canary_share_.load(std::memory_order_acquire); share != 0 && canary_slot(key) < share) {
            if (auto held = switch_t::pin_current(canary_)) return session{std::move(held)};
        }
        return read();
    }
    /// Of 10'000 slots the one that a key falls into, by its canonical hash.
    template <class Key>
    [[nodiscard]] static std::uint32_t canary_slot(Key const& key) {
        // The low bits choose shards and partitions: a share of the keys is not to be a share of those.
        std::uint64_t hash = 0;
        if constexpr (std::is_convertible_v<Key const&, std::string_view>) hash = canonical_hash(std::string_view{key});
        else hash = canonical_hash(static_cast<K>(key));
        return static_cast<std::uint32_t>((hash >> 32) * 10'000 >> 32);
    }
    /// A version by its number: one that is in memory, or was kept.
    ///
    /// Errors      not_there if it was retired, or has no rows yet.
    [[nodiscard]] session read_version(std::uint64_t number) const {
        auto held = switch_.find([&](version const& each) { return each.number() == number; });
        if (!held) throw_not_loaded(number);
        return session{std::move(held)};
    }
    /// The version that was current at a time.
    ///
    /// Strict      a time behind the last cut-over is an error, too: nobody knows yet what will have been current then
    /// Errors      not_there before the first cut-over that is known, and where that version has been retired.
    [[nodiscard]] std::uint64_t version_at(event_time time, bool strict = false) const {
        std::lock_guard const lock{listing_};
        auto const& all = list_.history;
        auto const after = std::upper_bound(all.begin(), all.end(), time,
            [](event_time t, detail::cut_over_entry const& each) { return t < each.since; });
        if (after == all.begin()) {
            throw error{error_code::not_there,
                all.empty() ? std::string{"no version of this view has been current yet"}
                            : detail::sentence({"no version of this view is known that was current so early: the "
                                                "earliest, ",
                                  all[0].version, ", has been since ",
                                  std::string_view{detail::plan_text(all[0].since)}}),
                folder_};
        }
        auto const& found = *(after - 1);
        if (strict && after == all.end() && found.since < time) {
            throw error{error_code::not_there,
                detail::sentence({"the last cut-over, to version ", found.version, ", was at ",
                    std::string_view{detail::plan_text(found.since)}, ": what is current later is not known yet"}),
                folder_};
        }
        if (list_.find(found.version) == nullptr) {
            throw error{error_code::not_there,
                detail::sentence({"version ", found.version,
                    ", which was current then, has been retired: certify() "
                    "keeps what is to be shown later"}),
                folder_};
        }
        return found.version;
    }
    /// The rows of the version that was current at a time, as they are now.
    [[nodiscard]] session as_of(event_time time, bool strict = false) const {
        return read_version(version_at(time, strict));
    }
    /// Which versions have been current, and since when, oldest first: as far back as one of them is still kept.
    [[nodiscard]] std::vector<version_span> cut_overs() const {
        std::lock_guard const lock{listing_};
        std::vector<version_span> out;
        out.reserve(list_.history.size());
        for (auto const& each : list_.history) out.push_back({each.version, each.since});
        return out;
    }
    /// The number of the current version; 0: none.
    [[nodiscard]] std::uint64_t current() const {
        std::lock_guard const lock{listing_};
        return list_.current;
    }
    /// Grows with every change of the versions.
    [[nodiscard]] std::uint64_t generation() const {
        std::lock_guard const lock{listing_};
        return list_.generation;
    }
    /// The numbers of the versions that are there.
    [[nodiscard]] std::vector<std::uint64_t> versions() const {
        std::lock_guard const lock{listing_};
        std::vector<std::uint64_t> out;
        out.reserve(list_.versions.size());
        for (auto const& each : list_.versions) out.push_back(each.number);
        return out;
    }
    /// The version that is pinned under a name; 0: none.
    [[nodiscard]] std::uint64_t certified(std::string_view name) const {
        std::lock_guard const lock{listing_};
        for (auto const& each : list_.versions) {
            if (std::find(each.certified.begin(), each.certified.end(), name) != each.certified.end())
                return each.number;
        }
        return 0;
    }
    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }

    // --- changes: one thread ------------------------------------------------------------------------------------

    /// Begins a version, empty; nobody reads it before it is cut over.
    version& begin(std::string_view logic_version) {
        auto next = list_;
        auto const number = next.next++;
        next.versions.push_back({number, std::string{logic_version}, 0, now(), {}, {}});
        make_folder(number);
        write(std::move(next));
        return **add(*list_.find(number));
    }
    /// The rows of a version as they are now, kept in its folder: readers in other processes, and the next start, have
    /// them. Versions that a deployment builds are kept by the snapshots of their jobs.
    void save(std::uint64_t number) {
        auto& of = writable(number);
        auto about = of.about();
        about.snapshot = detail::newest_rows_in(folder_of(number), *files_) + 1;
        about.updated = now();
        detail::write_rows<K, V>(
            folder_of(number), detail::rows_name(about.snapshot, false), about, std::as_const(of).rows(), *files_);
        of.tell(std::move(about));
        drop_rows_before(number, of.about().snapshot);
    }
    /// From now on readers are given that version: all of them, in all processes, from one moment on.
    ///
    /// Errors      not_there if there is no such version, or it has no rows on disk: save() it first.
    void cut_over(std::uint64_t number) {
        auto* const to = at_with_rows(number);
        change([&](detail::listed_versions& list) {
            set_current(list, number);
        });
        current_.store(to, std::memory_order_seq_cst);
        retire_old();
    }
    /// Removes the versions that are neither in use nor kept: beside the current one, the canary and certified ones the
    /// newest `keep` stay.
    void retire_old() {
        if (auto const gone = beyond_keep({}); !gone.empty()) remove(gone);
        collect();
    }
    /// Removes a version.
    ///
    /// Errors      invalid_argument for the current one and for a certified one.
    void retire(std::uint64_t number) {
        require_listed(number);
        if (number == list_.current || !list_.find(number)->certified.empty()) {
            throw error{error_code::invalid_argument,
                detail::sentence({"version ", number, number == list_.current ? " is the current one" : " is certified",
                    ": it cannot be retired"}),
                folder_};
        }
        remove({number});
    }
    /// Pins a version under a name: no retention removes it before release(name). The current one unless told.
    ///
    /// Errors      invalid_argument where the name pins another version.
    void certify(std::string_view name, std::uint64_t number = 0) {
        if (number == 0) number = list_.current;
        if (!certifies_anew(name, number)) return;
        change([&](detail::listed_versions& list) {
            list.find(number)->certified.emplace_back(name);
        });
    }
    /// Takes the pin away; false if there was none.
    bool release(std::string_view name) {
        auto const number = certified(name);
        if (number == 0) return false;
        change([&](detail::listed_versions& list) {
            std::erase(list.find(number)->certified, name);
        });
        return true;
    }
    /// Of 10'000 keys so many are read from that version by read_for; 0 ends the trial.
    ///
    /// Errors      not_there if there is no such version, or it has no rows on disk; invalid_argument above 10'000.
    void set_canary(std::uint64_t number, std::uint32_t share) {
        if (share > 10'000) {
            throw error{error_code::invalid_argument, "a canary has at most 10000 of 10000 keys", folder_};
        }
        auto* const to = share != 0 ? at_with_rows(number) : nullptr;
        change([&](detail::listed_versions& list) {
            list.canary = share != 0 ? number : 0;
            list.canary_share = share;
        });
        show_canary(to, share);
    }
    /// Reads a version that was kept into memory, so that read_version and as_of find it.
    void load(std::uint64_t number) {
        require_listed(number);
        static_cast<void>(at(number));
    }

protected:
    /// What a deployment changes, and others do not.
    versioned_view(std::string folder, versioned_view_options options, bool serves)
        : folder_(std::move(folder)),
          options_(std::move(options)),
          files_(options_.files != nullptr ? options_.files : &real_files()) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        if (files_->make_folder(folder_)) {
            auto const slash = folder_.rfind('/');
            files_->sync_folder(slash == std::string::npos ? "." : folder_.substr(0, slash == 0 ? 1 : slash));
        }
        files_->make_folder(detail::versions_folder(folder_));
        lock_ = files_->open(folder_ + "/lock", open_mode::create);
        if (!lock_->try_lock(false)) {
            throw error{error_code::in_use,
                "another process writes this view: end it, or read the view with versioned_view_reader", folder_};
        }
        list_ = detail::take_up_versions(folder_, *files_);
        if (serves) serve();
    }
    /// Shows readers what CURRENT says.
    void serve() {
        if (list_.current != 0) current_.store(at(list_.current), std::memory_order_seq_cst);
        if (list_.canary != 0) show_canary(at(list_.canary), list_.canary_share);
    }
    [[nodiscard]] detail::listed_versions const& list() const noexcept { return list_; }
    [[nodiscard]] file_system& files() const noexcept { return *files_; }
    [[nodiscard]] event_time now() const {
        return options_.clock != nullptr ? options_.clock() : detail::system_time();
    }
    [[nodiscard]] std::string folder_of(std::uint64_t number) const { return detail::version_folder(folder_, number); }

    /// The folder of a version that is new, empty.
    void make_folder(std::uint64_t number) {
        require_whole();
        detail::remove_tree(folder_of(number), *files_);
        files_->make_folder(folder_of(number));
        files_->sync_folder(detail::versions_folder(folder_));
    }
    /// One write of CURRENT, with what `edit` changes.
    template <class F>
    void change(F&& edit) {
        auto next = list_;
        edit(next);
        write(std::move(next));
    }
    void write(detail::listed_versions next) {
        require_whole();
        ++next.generation;
        broken_ = true;
        detail::write_listed_versions(folder_, next, *files_);
        broken_ = false;
        std::lock_guard const lock{listing_};
        list_ = std::move(next);
    }
    void set_current(detail::listed_versions& list, std::uint64_t number) const {
        auto since = now();
        if (!list.history.empty() && since <= list.history.back().since) {
            since = list.history.back().since + duration{1};
        }
        list.current = number;
        if (list.canary == number) list.canary = list.canary_share = 0;
        list.history.push_back({number, since});
    }
    /// A write of CURRENT has failed, and nobody knows what it says.
    [[nodiscard]] bool broken() const noexcept { return broken_; }
    /// After that: what it says now is what counts, and is written once more, so that it stays.
    void reread() {
        if (!broken_) return;
        auto found = detail::read_listed_versions(folder_, *files_);
        broken_ = false;
        write(found ? std::move(*found) : list_);
    }
    /// Readers see what was written.
    void show(std::uint64_t number) {
        current_.store(number != 0 ? at(number) : nullptr, std::memory_order_seq_cst);
        show_canary(list_.canary != 0 ? at(list_.canary) : nullptr, list_.canary_share);
    }
    /// Those that neither readers, nor their certificates, nor `used` hold, but for the newest `keep` of them.
    [[nodiscard]] std::vector<std::uint64_t> beyond_keep(std::vector<std::uint64_t> const& used) const {
        std::vector<std::uint64_t> others;
        for (auto const& each : list_.versions) {
            bool const in_use = each.number == list_.current || each.number == list_.canary || !each.certified.empty()
                || std::find(used.begin(), used.end(), each.number) != used.end();
            if (!in_use) others.push_back(each.number);
        }
        others.resize(others.size() > options_.keep ? others.size() - options_.keep : 0);
        return others;
    }
    /// Frees what sessions held until they ended.
    void collect() { switch_.collect(); }
    /// False if the name pins that version already.
    [[nodiscard]] bool certifies_anew(std::string_view name, std::uint64_t number) const {
        require_listed(number);
        auto const other = certified(name);
        if (other == 0 || other == number) return other == 0;
        throw error{error_code::invalid_argument,
            detail::sentence({"`", name, "` certifies version ", other, ": release it first"}), folder_};
    }
    void remove(std::vector<std::uint64_t> const& numbers) {
        change([&](detail::listed_versions& list) {
            for (auto const each : numbers) list.erase(each);
        });
        for (auto const each : numbers) forget(each);
    }
    /// What stays of a version that CURRENT does not name any more.
    void forget(std::uint64_t number) {
        if (list_.canary == 0) show_canary(nullptr, 0);
        unload(number);
        detail::remove_tree(folder_of(number), *files_);
    }
    /// A version that is not kept in memory any more.
    void unload(std::uint64_t number) {
        for (std::size_t i = 0; i < loaded_.size(); ++i) {
            if (loaded_[i].first != number) continue;
            switch_.drop(*loaded_[i].second);
            loaded_.erase(loaded_.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
    }
    /// A place in memory for a version, without rows.
    place* add(detail::listed_version const& of) {
        build about;
        about.number = of.number;
        about.logic_version = of.logic_version;
        about.git_hash = options_.git_hash;
        about.based_on = of.based_on;
        about.begun = of.begun;
        auto* const made = switch_.add(std::make_unique<version>(std::move(about), rows_of(of.number)));
        loaded_.emplace_back(of.number, made);
        return made;
    }
    /// A version in memory; read from disk if it is not there.
    place* at(std::uint64_t number) {
        for (auto const& [known, where] : loaded_) {
            if (known == number) return where;
        }
        require_listed(number);
        build about;
        about.number = number;
        auto fresh = std::make_unique<version>(std::move(about), rows_of(number));
        auto const newest = detail::newest_rows_in(folder_of(number), *files_);
        auto found = newest != 0 ? detail::read_rows<K, V>(
                                       folder_of(number), detail::rows_name(newest, false), fresh->rows(), *files_)
                                 : std::nullopt;
        if (!found) {
            throw error{error_code::not_there, detail::sentence({"version ", number, " has no rows on disk yet"}),
                folder_of(number)};
        }
        detail::show_rows(fresh->rows(), *found);
        fresh->tell(std::move(*found));
        auto* const made = switch_.add(std::move(fresh));
        loaded_.emplace_back(number, made);
        return made;
    }
    /// As at; not_there where its rows are in memory alone: neither another process nor the next start would find them.
    place* at_with_rows(std::uint64_t number) {
        auto* const found = at(number);
        if (detail::newest_rows_in(folder_of(number), *files_) != 0) return found;
        throw error{error_code::not_there,
            detail::sentence({"version ", number, " has no rows on disk: save() it before readers are moved to it"}),
            folder_};
    }
    void require_listed(std::uint64_t number) const {
        if (list_.find(number) != nullptr) return;
        throw error{
            error_code::not_there, detail::sentence({"there is no version ", number, " of this view"}), folder_};
    }
    void drop_rows_before(std::uint64_t number, std::uint64_t oldest) {
        for (auto const& each : files_->list(folder_of(number))) {
            auto const n = detail::number_of_rows(each.name, false);
            if (n != 0 && n < oldest) files_->remove(folder_of(number) + "/" + each.name);
        }
    }

private:
    /// As the build of its view a version says its number, and the clock is that of the versions.
    [[nodiscard]] view_options rows_of(std::uint64_t number) const {
        auto how = options_.rows;
        if (how.build == 0) how.build = number;
        if (how.clock == nullptr) how.clock = options_.clock;
        return how;
    }
    version& writable(std::uint64_t number) { return **at(number); }
    void show_canary(place* to, std::uint32_t share) {
        if (share == 0) canary_share_.store(0, std::memory_order_release);
        canary_.store(to, std::memory_order_seq_cst);
        if (share != 0) canary_share_.store(share, std::memory_order_release);
    }
    void require_whole() const {
        if (!broken_) return;
        throw error{error_code::stopped,
            "the versions of this view could not be written, and nobody knows what CURRENT says: open the folder anew",
            folder_};
    }
    [[noreturn]] void throw_not_loaded(std::uint64_t number) const {
        std::lock_guard const lock{listing_};
        bool const there = list_.find(number) != nullptr;
        throw error{error_code::not_there,
            detail::sentence({"version ", number,
                there ? " is not in memory: load() it first" : " has been retired, or never was"}),
            folder_};
    }
};
}  // namespace driftless::inline v0
#endif
