// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_GROUP_HPP
#define DRIFTLESS_LOG_GROUP_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/assignment.hpp>
#include <driftless/log/detail/group_state.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/partition_offset.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Where a group begins that has never committed anything.
enum class group_start : std::uint8_t {
    begin,  ///< with the oldest record there is
    end,    ///< with what is appended after the first member has joined
};

/// How a group of readers is opened.
struct group_options {
    group_start start = group_start::begin;  ///< looked at when the group is made, and not later
    file_system* files = nullptr;            ///< null: real_files()
    event_time (*clock)() = nullptr;         ///< null: the system's; processes must agree on it within their leases
    duration patience{10'000'000'000};       ///< how long to wait while others change the group
};

/// As whom a reader joins a group.
struct join_options {
    std::string member;          ///< who joins; who joins under the name of another takes its place
    std::string instance{};      ///< a place that is kept for whoever comes back with it, under whatever name
    duration lease{10'000'000'000};  ///< who is not heard of for so long is dropped
    driftless::assignment assignment = driftless::assignment::sticky;  ///< the same for all members
};

/// A log in a folder, which groups can read.
template <class L>
concept log_in_folder = requires(L const& log, std::uint32_t p) {
    { log.path() } -> std::convertible_to<std::string>;
    { log.partitions() } -> std::convertible_to<std::uint32_t>;
    { log.begin_offset(p) } -> std::convertible_to<std::uint64_t>;
    { log.end_offset(p) } -> std::convertible_to<std::uint64_t>;
};

namespace detail {
/// The files of a group, and the log they belong to. Every change reads the state, and replaces it, under the lock.
class group_files {
    struct log_functions {
        std::uint32_t (*partitions)(void const*);
        std::uint64_t (*begin_offset)(void const*, std::uint32_t);
        std::uint64_t (*end_offset)(void const*, std::uint32_t);
    };
    template <class Log>
    static constexpr log_functions functions_of{
        [](void const* log) -> std::uint32_t { return static_cast<Log const*>(log)->partitions(); },
        [](void const* log, std::uint32_t p) -> std::uint64_t { return static_cast<Log const*>(log)->begin_offset(p); },
        [](void const* log, std::uint32_t p) -> std::uint64_t { return static_cast<Log const*>(log)->end_offset(p); }};

    void const* log_;
    log_functions const* functions_;
    std::string log_path_;
    std::string name_;
    group_options options_;
    file_system* files_;

public:
    template <class Log>
    group_files(Log const& log, std::string name, group_options const& options)
        : log_(&log),
          functions_(&functions_of<Log>),
          log_path_(log.path()),
          name_(std::move(name)),
          options_(options),
          files_(options.files != nullptr ? options.files : &real_files()) {
        if (options_.clock == nullptr) options_.clock = &system_time;
        require_plain_name(name_, log_path_ + "/groups");
    }

    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    [[nodiscard]] std::string folder() const { return log_path_ + "/groups/" + name_; }
    [[nodiscard]] event_time now() const { return options_.clock(); }
    [[nodiscard]] std::uint32_t partitions() const { return functions_->partitions(log_); }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p) const { return functions_->begin_offset(log_, p); }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const { return functions_->end_offset(log_, p); }

    /// Makes the folder of the group, unless it is there.
    void make() const {
        if (files_->exists(folder() + "/state")) return;
        files_->make_folder(log_path_ + "/groups");
        files_->sync_folder(log_path_);
        files_->make_folder(folder());
        files_->sync_folder(log_path_ + "/groups");
    }
    enum class write : std::uint8_t {
        if_changed,
        always,  // what is to be durable: an earlier attempt may have been seen by all, and not be safe yet
    };
    /// Calls change(state), and keeps what it made of it.
    template <class F>
    void update(write when, F&& change) const {
        auto const lock = acquire(open_mode::create);
        auto const before = load(*lock);
        auto state = before.value_or(group_state{});
        fit(state);
        change(state);
        if (when == write::always || before != state) write_whole_file(folder(), "state", encode(state), *files_);
        if (lock->size() == 0) {  // from now on a state that is not there has been lost
            lock->write_at(0, detail::group_lock_made);
            lock->sync();
        }
    }
    /// What is there; nothing if nobody ever joined.
    [[nodiscard]] std::optional<group_state> look() const {
        auto const lock = acquire(open_mode::write);
        return lock ? load(*lock) : std::nullopt;
    }

private:
    [[nodiscard]] std::unique_ptr<file> acquire(open_mode mode) const {
        auto lock = files_->open(folder() + "/lock", mode);
        if (!lock) return lock;
        duration pause{50'000};
        for (duration waited{}; !lock->try_lock(false); waited = waited + pause) {
            if (waited >= options_.patience) {
                throw error{error_code::in_use,
                    "the group is locked all the time: a process that holds the lock hangs, end it", lock->path()};
            }
            if (pause < duration{2'000'000}) pause = pause * 2;
            std::this_thread::sleep_for(std::chrono::nanoseconds{pause.ns()});
        }
        return lock;
    }
    [[nodiscard]] std::optional<group_state> load(file& lock) const {
        auto const path = folder() + "/state";
        if (auto const bytes = read_whole_file(path, *files_)) return decode_group_state(*bytes, path);
        if (lock.size() == 0) return std::nullopt;
        throw error{error_code::corrupt,
            "the state of the group is gone: bring the file back, or remove the folder of the group to begin anew",
            path};
    }
    /// Adds the partitions of the log that the state does not have yet.
    void fit(group_state& state) const {
        auto const count = partitions();
        auto const had = state.partitions.size();
        if (had > count) {
            throw error{error_code::mismatch,
                "the group reads " + std::to_string(had) + " partitions, the log has " + std::to_string(count)
                    + ": it is the group of another log",
                folder()};
        }
        for (auto p = static_cast<std::uint32_t>(had); p < count; ++p) {
            bool const at_end = had == 0 && options_.start == group_start::end;
            auto const first = at_end ? end_offset(p) : begin_offset(p);
            state.partitions.push_back({first, group_state::nobody, group_state::nobody});
        }
        if (had != count) state.share();
    }
};
}  // namespace detail

/// A member of a group: what it may read, and how far it is.
///
/// Shape       partitions() are this member's alone until it gives them up in heartbeat() or is dropped. It reads each
///             from position() on, and commits the offset after the last record it is done with.
/// Time        A lease by the clock of the group: dropped exactly `lease` after it was renewed last. A heartbeat renews
///             it as soon as a tenth of it has passed; before, it only looks, and is cheap. A commit does not renew it.
/// State       In the files of the group. What was committed is durable, several partitions together or not at all.
/// Errors      driftless::error. fenced: the lease has ended, somebody else joined under its name, or the partition is
///             not its own (any more); nothing was changed, join again or look at partitions(). stopped: it has left.
///             io: the change was made or not, call it again. in_use, corrupt, malformed, unsupported: of the files.
/// Threads     One thread at a time calls a member; any number of members in threads and processes.
/// Complexity  Each call reads the whole state, one that changes it writes it, with two syncs: O(partitions + members).
class log_group_member {
    using write = detail::group_files::write;

    detail::group_files files_;
    std::string id_;
    std::string instance_;
    std::uint64_t number_ = 0;  // 0: has left
    std::string why_fenced_;    // empty: it is not, as far as it knows
    std::vector<std::uint32_t> mine_;
    std::vector<std::uint64_t> positions_;  // beside mine_

    friend class log_group;
    log_group_member(detail::group_files files, join_options const& options)
        : files_(std::move(files)), id_(options.member), instance_(options.instance) {
        std::uint64_t number = 0;
        detail::group_state joined;
        files_.update(write::always, [&](detail::group_state& state) {
            auto const now = files_.now();
            state.expire(now);
            if (state.members.empty()) {
                state.how = options.assignment;
            } else if (state.how != options.assignment) {
                throw error{error_code::mismatch,
                    std::string{"the members of the group share its partitions by "} + to_string(state.how)
                        + ", this one by " + to_string(options.assignment) + ": use the same for all",
                    files_.folder()};
            }
            number = state.join(id_, instance_, options.lease, now);
            joined = state;
        });
        number_ = number;
        take(joined);
    }

public:
    log_group_member(log_group_member&& other) noexcept
        : files_(std::move(other.files_)),
          id_(std::move(other.id_)),
          instance_(std::move(other.instance_)),
          number_(std::exchange(other.number_, 0)),
          why_fenced_(std::move(other.why_fenced_)),
          mine_(std::move(other.mine_)),
          positions_(std::move(other.positions_)) {}
    log_group_member& operator=(log_group_member&&) = delete;
    /// Leaves; a member with an instance does not, its place waits for it until the lease ends.
    ~log_group_member() {
        if (!instance_.empty()) return;
        try {
            leave();
        } catch (...) {  // NOLINT(bugprone-empty-catch): the lease ends by itself
        }
    }

    [[nodiscard]] std::string const& id() const noexcept { return id_; }
    /// The partitions of this member as of its last heartbeat, in order.
    [[nodiscard]] std::vector<std::uint32_t> const& partitions() const noexcept { return mine_; }
    /// Where to go on in a partition: the committed offset, or where the group began.
    [[nodiscard]] std::uint64_t position(std::uint32_t p) const { return positions_[place_of(p)]; }

    /// Renews the lease; gives up partitions that are to be another member's, and takes those that are free for this
    /// one. So commit before. True if partitions() has changed.
    bool heartbeat() {
        detail::group_state renewed;
        bool known = false;
        try {
            change(write::if_changed, [&](detail::group_state& state, detail::group_state::member& self) {
                state.renew(self, files_.now());
                renewed = state;
                known = true;
            });
        } catch (...) {
            if (known) keep(renewed.owned_by(number_));  // what it may have given up
            throw;
        }
        auto const before = mine_;
        take(renewed);
        return mine_ != before;
    }

    /// Everything in partition p before `offset` is done with.
    void commit(std::uint32_t p, std::uint64_t offset) { commit({{p, offset}}); }
    /// The same for several partitions, together.
    void commit(std::initializer_list<partition_offset> offsets) {
        commit(std::span<partition_offset const>{offsets.begin(), offsets.size()});
    }
    void commit(std::span<partition_offset const> offsets) {
        require_joined();
        for (auto const& each : offsets) {
            auto const end = files_.end_offset(mine_[place_of(each.partition)]);
            if (each.offset <= end) continue;
            throw error{error_code::invalid_argument,
                "partition " + std::to_string(each.partition) + " ends at " + std::to_string(end)
                    + ", nobody can have read further: commit the offset after the last record read",
                files_.folder(), each.offset};
        }
        change(write::always, [&](detail::group_state& state, detail::group_state::member&) {
            for (auto const& each : offsets) {
                auto& partition = state.partitions[each.partition];
                if (partition.owner != number_) throw not_its_own(each.partition);
                if (each.offset < partition.offset) {
                    throw error{error_code::invalid_argument,
                        "partition " + std::to_string(each.partition) + " is committed up to "
                            + std::to_string(partition.offset)
                            + ", a commit does not go back: log_group::reset does, when nobody is in the group",
                        files_.folder(), each.offset};
                }
                partition.offset = each.offset;
            }
        });
        for (auto const& each : offsets) positions_[place_of(each.partition)] = each.offset;
    }

    /// Gives everything back; others take it at their next heartbeat. Once is enough.
    void leave() {
        if (number_ == 0) return;
        files_.update(write::if_changed, [&](detail::group_state& state) {
            state.expire(files_.now());
            state.leave(number_);
        });
        number_ = 0;
        keep({});
    }

private:
    void require_joined() const {
        if (!why_fenced_.empty()) throw error{error_code::fenced, why_fenced_, files_.folder()};
        if (number_ != 0) return;
        throw error{error_code::stopped, "the member `" + id_ + "` has left the group: join again", files_.folder()};
    }
    [[nodiscard]] error not_its_own(std::uint32_t p) const {
        return error{error_code::fenced,
            "partition " + std::to_string(p) + " is not with the member `" + id_
                + "` (any more): commit before the heartbeat, and look at partitions() after it",
            files_.folder()};
    }
    [[nodiscard]] std::size_t place_of(std::uint32_t p) const {
        require_joined();
        auto const at = std::lower_bound(mine_.begin(), mine_.end(), p);
        if (at == mine_.end() || *at != p) throw not_its_own(p);
        return static_cast<std::size_t>(at - mine_.begin());
    }
    /// Calls f(state, member) if this member still has its place.
    template <class F>
    void change(write when, F&& f) {
        require_joined();
        bool replaced = false;
        bool there = false;
        files_.update(when, [&](detail::group_state& state) {
            state.expire(files_.now());
            auto* const self = state.find(number_);
            there = self != nullptr;
            replaced = !there && state.find(id_, instance_) != nullptr;
            if (there) f(state, *self);
        });
        if (there) return;
        keep({});
        why_fenced_ = replaced
            ? "somebody else has joined as `" + (instance_.empty() ? id_ : instance_)
                + "` and has its partitions now: give each member a name of its own, then join again"
            : "the lease of the member `" + id_
                + "` has ended, its partitions went to others: join again, and go on from position()";
        require_joined();
    }
    void take(detail::group_state const& state) {
        mine_ = state.owned_by(number_);
        positions_.clear();
        for (auto const p : mine_) positions_.push_back(state.partitions[p].offset);
    }
    /// Forgets partitions that are not in the list.
    void keep(std::vector<std::uint32_t> const& list) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < mine_.size(); ++i) {
            if (!std::binary_search(list.begin(), list.end(), mine_[i])) continue;
            mine_[kept] = mine_[i];
            positions_[kept++] = positions_[i];
        }
        mine_.resize(kept);
        positions_.resize(kept);
    }
};

/// Readers of a log that share its partitions, and remember how far they are: in <log>/groups/<name>.
///
///     auto member = log_group{log, "billing"}.join({.member = "a"});
///
/// Shape       Each partition is with one member of a group at a time; every group reads the whole log. A member that
///             joins gets its share step by step, as the others give it up in their heartbeats.
/// State       The files `state` (members and offsets: replaced whole, with a checksum) and `lock`. It survives the
///             death of any process at any moment, and a loss of power. A state that is damaged or gone is an error.
/// Errors      driftless::error with path: invalid_argument (a name, a lease, an offset), mismatch (another way to
///             share, another log), in_use (reset while there are members), and those of log_group_member. A join that
///             fails with io may hold a place until the lease ends: joining again takes it.
/// Threads     Any, in any number of processes. The log must outlive the group and its members.
/// Example     docs/logs.md
class log_group {
    detail::group_files files_;

public:
    template <log_in_folder Log>
    log_group(Log const& log, std::string name, group_options const& options = {})
        : files_(log, std::move(name), options) {}
    template <log_in_folder Log>
    log_group(Log const&&, std::string, group_options const& = {}) = delete;

    /// Becomes a member, for a lease; makes the group if there is none.
    [[nodiscard]] log_group_member join(join_options const& options) const {
        if (options.member.empty() || options.member.size() > 255 || options.instance.size() > 255) {
            throw error{error_code::invalid_argument,
                "a member needs a name of 1 to 255 bytes, and no longer an instance: `" + options.member + "`",
                files_.folder()};
        }
        if (options.lease <= duration{}) {
            throw error{error_code::invalid_argument, "a lease must be longer than 0 ns", files_.folder()};
        }
        files_.make();
        return log_group_member{files_, options};
    }
    /// The offset up to which a partition is done with; nothing if nobody ever joined.
    [[nodiscard]] std::optional<std::uint64_t> committed(std::uint32_t p) const {
        auto const state = files_.look();
        if (!state || p >= state->partitions.size()) return std::nullopt;
        return state->partitions[p].offset;
    }
    /// The names of the members whose lease has not ended, in the order in which they joined first.
    [[nodiscard]] std::vector<std::string> members() const {
        std::vector<std::string> out;
        auto state = files_.look();
        if (!state) return out;
        state->expire(files_.now());
        for (auto const& each : state->members) out.push_back(each.id);
        return out;
    }
    /// Sets offsets, back or forth, together; in_use if the group has members.
    void reset(std::span<partition_offset const> offsets) const {
        for (auto const& each : offsets) {
            if (each.partition < files_.partitions() && each.offset >= files_.begin_offset(each.partition)
                && each.offset <= files_.end_offset(each.partition)) continue;
            throw error{error_code::invalid_argument,
                "the log has no such offset in partition " + std::to_string(each.partition), files_.folder(),
                each.offset};
        }
        files_.make();
        files_.update(detail::group_files::write::always, [&](detail::group_state& state) {
            state.expire(files_.now());
            if (!state.members.empty()) {
                throw error{error_code::in_use,
                    "the group has members (`" + state.members.front().id + "`): end them before its offsets are set",
                    files_.folder()};
            }
            for (auto const& each : offsets) state.partitions[each.partition].offset = each.offset;
        });
    }
    void reset(std::initializer_list<partition_offset> offsets) const {
        reset(std::span<partition_offset const>{offsets.begin(), offsets.size()});
    }
};
}  // namespace driftless::inline v0
#endif
