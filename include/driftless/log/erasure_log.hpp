// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_ERASURE_LOG_HPP
#define DRIFTLESS_LOG_ERASURE_LOG_HPP

#include <boost/hana/adapt_struct.hpp>

#include <driftless/codec/subject.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/log/file_log.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a record of an erasure log says.
enum class erasure_kind : std::uint8_t {
    erased,      ///< the subject: its key is destroyed wherever it turns up, and what is kept by its id is purged
    readmitted,  ///< the subject is back: values may be sealed for it again, with a new key
    purged,      ///< a place holds nothing of the subjects erased up to `number` any more
};

/// A record of an erasure log.
struct erasure_record {
    erasure_kind kind = erasure_kind::erased;
    std::string subject;       ///< subject_id::bytes(); of `purged` empty
    std::uint64_t number = 0;  ///< of an erasure: it counts them, from 1; of `purged` the last one it speaks of
    event_time at;
    std::string text;           ///< why; of `purged` the name of the place
    std::uint64_t removed = 0;  ///< of `purged`: how much was taken out

    friend bool operator==(erasure_record const&, erasure_record const&) = default;
};
}  // namespace driftless::inline v0
BOOST_HANA_ADAPT_STRUCT(driftless::erasure_record, kind, subject, number, at, text, removed);

namespace driftless::inline v0 {

/// Subjects of which nothing is to be kept.
///
/// Complexity  contains O(log subjects), and the bytes of the key.
class erased_subjects {
    std::set<std::string, std::less<>> all_;
    std::uint64_t last_ = 0;

public:
    erased_subjects() = default;
    /// number      of the last erasure that it speaks of
    explicit erased_subjects(std::uint64_t number) : last_(number) {}
    void add(subject_id const& subject) { all_.insert(subject.bytes()); }

    [[nodiscard]] bool contains(subject_id const& subject) const { return all_.contains(subject.bytes()); }
    /// A key that is the id of one of them: of its kind, and equal to it. Or has one in it, in a pair, tuple or
    /// reflected struct, of a class that names its kind (subject_kind).
    template <class K>
        requires(!std::is_same_v<K, subject_id>)
    [[nodiscard]] bool contains(K const& key) const {
        if (all_.empty()) return false;
        std::string scratch;
        return detail::names_subject(key, scratch, [this](std::string_view bytes) { return all_.contains(bytes); });
    }
    [[nodiscard]] bool contains_bytes(std::string_view bytes) const { return all_.contains(bytes); }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] std::uint64_t number() const noexcept { return last_; }
    /// Calls f(subject_id) for each, in the order of their bytes.
    template <class F>
    void each(F&& f) const {
        for (auto const& one : all_) f(subject_id::from_bytes(one));
    }
};

/// How an erasure log is opened.
struct erasure_log_options {
    log_access access = log_access::append;
    file_system* files = nullptr;     ///< null: real_files()
    event_time (*clock)() = nullptr;  ///< null: the system's
    log_id id{};                      ///< when made; zero: a random one
};

/// The erasures: a log of its own beside the data, which decides. What it says is erased stays so, whatever comes back
/// from a backup: key stores, snapshots and views look here first.
///
/// Shape       A folder with a file log of erasure_record, one partition, layout packed. Erasures are numbered from 1.
/// Delivery    An erasure is decided when its record is durable: erase() then returns.
/// State       The ids of all erased subjects in memory.
/// Errors      Those of file_log.
/// Threads     Any number. One process appends; others read, and see what came since with refresh().
/// Complexity  A look-up O(log subjects); an erasure one write and one sync.
class erasure_log {
    struct standing {
        std::uint64_t times = 0;   // that it was erased
        std::uint64_t number = 0;  // of the last time
        bool erased = false;       // and not readmitted
    };

    erasure_log_options options_;
    file_log<erasure_record, packed> log_;
    mutable std::shared_mutex mutex_;
    std::uint64_t read_ = 0;
    std::uint64_t last_ = 0;
    bool unsure_ = false;  // an append has failed: what of it is there shows when the log is read
    std::map<std::string, standing, std::less<>> subjects_;
    std::map<std::string, std::uint64_t, std::less<>> purged_;  // by place: the last erasure

public:
    explicit erasure_log(std::string folder, erasure_log_options options = {})
        : options_(options), log_(std::move(folder), log_options(options)) {
        if (options_.clock == nullptr) options_.clock = &detail::system_time;
        refresh();
    }

    [[nodiscard]] log_id id() const noexcept { return log_.id(); }
    [[nodiscard]] std::string const& path() const noexcept { return log_.path(); }
    [[nodiscard]] auto const& log() const noexcept { return log_; }
    [[nodiscard]] event_time now() const { return options_.clock(); }

    /// Decides that a subject is erased; returns the number of the erasure. One that is erased already stays so, under
    /// its number.
    ///
    /// why         for people, kept in the log: nothing about the subject that has to go
    std::uint64_t erase(subject_id const& subject, std::string_view why = {}) {
        std::lock_guard const lock{mutex_};
        make_sure();
        auto const found = subjects_.find(subject.bytes());
        if (found != subjects_.end() && found->second.erased) return found->second.number;
        append({erasure_kind::erased, subject.bytes(), last_ + 1, now(), std::string{why}, 0});
        return last_;
    }
    /// Lets values be sealed for a subject again, with a key of their own: what was erased stays so. False if it is not
    /// erased.
    bool readmit(subject_id const& subject, std::string_view why = {}) {
        std::lock_guard const lock{mutex_};
        make_sure();
        auto const found = subjects_.find(subject.bytes());
        if (found == subjects_.end() || !found->second.erased) return false;
        append({erasure_kind::readmitted, subject.bytes(), last_, now(), std::string{why}, 0});
        return true;
    }
    /// Notes that a place holds nothing of the subjects erased up to a number.
    void note_purged(std::string_view place, std::uint64_t number, std::uint64_t removed) {
        std::lock_guard const lock{mutex_};
        make_sure();
        append({erasure_kind::purged, {}, number, now(), std::string{place}, removed});
    }

    [[nodiscard]] bool is_erased(subject_id const& subject) const {
        auto const of = standing_of(subject);
        return of.erased;
    }
    /// How often it was erased: keys made before the last time are dead.
    [[nodiscard]] std::uint64_t generation(subject_id const& subject) const { return standing_of(subject).times; }
    /// How many erasures there are: the number of the last one.
    [[nodiscard]] std::uint64_t erasures() const {
        std::shared_lock const lock{mutex_};
        return last_;
    }
    /// The erasures up to which a place is purged; 0 for one that nothing is known of.
    [[nodiscard]] std::uint64_t purged(std::string_view place) const {
        std::shared_lock const lock{mutex_};
        auto const found = purged_.find(place);
        return found == purged_.end() ? 0 : found->second;
    }
    /// All that are erased now, and not readmitted.
    [[nodiscard]] erased_subjects subjects() const {
        std::shared_lock const lock{mutex_};
        erased_subjects out{last_};
        for (auto const& [bytes, of] : subjects_) {
            if (of.erased) out.add(subject_id::from_bytes(bytes));
        }
        return out;
    }
    /// Reads what another process has appended.
    void refresh() {
        std::lock_guard const lock{mutex_};
        catch_up();
    }

private:
    static file_log_options log_options(erasure_log_options const& from) {
        file_log_options out;
        out.access = from.access;
        out.files = from.files;
        out.clock = from.clock;
        out.id = from.id;
        out.durable = every_batch;
        out.background = false;
        return out;
    }
    void append(erasure_record const& record) {
        unsure_ = true;
        log_.append(record);
        unsure_ = false;
        catch_up();
    }
    void make_sure() {
        if (!unsure_) return;
        log_.sync();
        catch_up();
        unsure_ = false;
    }
    void catch_up() {
        for (auto const end = log_.end_offset(); read_ < end;) {
            auto const block = log_.read(0, read_);
            for (std::size_t i = 0; i < block.size() && read_ < end; ++i, ++read_) take(block[i]);
        }
    }
    void take(erasure_record const& record) {
        if (record.kind == erasure_kind::purged) {
            auto& up_to = purged_[record.text];
            if (up_to < record.number) up_to = record.number;
            return;
        }
        auto& of = subjects_[record.subject];
        of.erased = record.kind == erasure_kind::erased;
        if (!of.erased) return;
        ++of.times;
        of.number = last_ = record.number;
    }
    [[nodiscard]] standing standing_of(subject_id const& subject) const {
        std::shared_lock const lock{mutex_};
        auto const found = subjects_.find(subject.bytes());
        return found == subjects_.end() ? standing{} : found->second;
    }
};
}  // namespace driftless::inline v0
#endif
