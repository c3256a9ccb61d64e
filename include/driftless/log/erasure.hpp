// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_ERASURE_HPP
#define DRIFTLESS_LOG_ERASURE_HPP

#include <driftless/codec/encrypted.hpp>
#include <driftless/codec/subject.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/erasure_log.hpp>
#include <driftless/log/key_store.hpp>
#include <driftless/log/partition_offset.hpp>
#include <driftless/log/read_range.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a place says when it was purged.
struct purged {
    std::uint64_t removed = 0;  ///< rows, entries or files that went
    std::string note;           ///< for people; may be empty
    bool whole = true;          ///< false: something of them is still there, and the note says what

    purged() = default;
    purged(std::uint64_t count) : removed(count) {}  // NOLINT(google-explicit-constructor): many count, and no more
};

/// What purge_state() took out of a job.
struct purged_state {
    std::uint64_t removed = 0;         ///< entries
    std::vector<std::string> kept_by;  ///< stages that let nothing be left out
    std::uint64_t snapshots = 0;       ///< older ones that were removed
};

/// A place that keeps something by the ids of subjects, and lets it be removed: a view, a table, a sink.
///
/// purge(who)   removes all that `who` contains, and says how much there was, as a number or as `purged`. Durable when
///              it returns, where the place is. May be called again with the same ones, also after a crash in between.
template <class P>
concept purgeable = requires(P& place, erased_subjects const& who) {
    { place.purge(who) } -> std::convertible_to<purged>;
};

/// Values that are still in a log, and that nobody can read any more.
struct unreadable_values {
    std::string log;  ///< the name it was given
    std::uint32_t partition = 0;
    std::uint64_t first = 0;  ///< offset of the first record
    std::uint64_t last = 0;   ///< and of the last one
    std::uint64_t records = 0;

    friend bool operator==(unreadable_values const&, unreadable_values const&) = default;
};

/// What an erasure has done.
struct erasure_report {
    /// What became of a place.
    struct place {
        std::string kind;           ///< "state", "view", "sink"
        std::string name;
        std::uint64_t removed = 0;  ///< rows, entries or files
        bool done = false;          ///< false: it is to be purged again, with resume()
        std::string note;
    };

    std::uint64_t number = 0;  ///< of the erasure, in the erasure log
    std::string subject;       ///< kind and key, for people; empty: of resume()
    event_time at;
    std::uint64_t keys = 0;    ///< that were destroyed
    std::vector<place> places;
    std::vector<unreadable_values> unreadable;  ///< what logs still hold, sealed

    /// Everything that was named holds nothing of the subject any more, but what is unreadable.
    [[nodiscard]] bool complete() const noexcept {
        for (auto const& each : places) {
            if (!each.done) return false;
        }
        return true;
    }
    /// A line for each place, and one for each partition of a log that holds unreadable values.
    [[nodiscard]] std::string text() const {
        auto out = "erasure " + std::to_string(number) + (subject.empty() ? "" : " of " + subject) + ": "
            + std::to_string(keys) + (keys == 1 ? " key destroyed\n" : " keys destroyed\n");
        for (auto const& each : places) {
            out += "  " + each.kind + " " + each.name + ": " + std::to_string(each.removed) + " removed";
            if (!each.done) out += ", NOT DONE";
            if (!each.note.empty()) out += " (" + each.note + ")";
            out += '\n';
        }
        for (auto const& each : unreadable) {
            out += "  log " + each.log + " partition " + std::to_string(each.partition) + ": "
                + std::to_string(each.records) + " values cannot be read any more, offsets "
                + std::to_string(each.first) + " to " + std::to_string(each.last) + "\n";
        }
        return out += complete() ? "  complete\n" : "  not complete: resume() goes on\n";
    }
};

/// Erases subjects everywhere: decides it in the erasure log, destroys the keys, purges the places that were added.
///
/// Delivery    Decided when the record is durable. Whatever then fails, or crashes, is done by resume(), which every
///             start calls: a place is purged until it has said that it is.
/// State       Borrows the places, the key store and the log.
/// Errors      erase throws where the erasure could not be decided or the key not be destroyed: call it again. A place
///             that throws is told in the report.
/// Threads     One at a time. Each place is purged on this thread.
/// Example     examples/erasure.cpp
class eraser {
    struct known_place {
        std::string kind;
        std::string name;
        std::function<purged(erased_subjects const&)> purge;
    };
    struct known_log {
        std::string name;
        std::function<void(erased_subjects const&, std::vector<unreadable_values>&, std::string const&)> look;
    };

    erasure_log* erasures_;
    std::function<std::size_t()> destroy_;
    std::vector<known_place> places_;
    std::vector<known_log> logs_;

public:
    template <value_cipher Cipher>
    eraser(erasure_log& erasures, key_store<Cipher>& keys)
        : erasures_(&erasures), destroy_([&keys] { return keys.apply_erasures(); }) {
        require_same(keys.erasures());
    }

    /// A place to purge. Its kind and name together are what the erasure log knows it by: they stay the same.
    template <purgeable Place>
    eraser& add(std::string kind, std::string name, Place& place) {
        places_.push_back({std::move(kind), std::move(name),
            [&place](erased_subjects const& who) -> purged { return place.purge(who); }});
        return *this;
    }
    /// A log whose records have that encrypted field, for the report: it is read from its beginning.
    template <class Log, class R, class Subject, class T, std::size_t Room>
    eraser& add_log(std::string name, Log const& log, encrypted<Subject, T, Room> R::* field) {
        static_assert(std::is_same_v<R, typename Log::value_type>,
            "driftless: add_log(name, log, &record::field) needs a field of the records of that log");
        logs_.push_back({std::move(name),
            [&log, field](erased_subjects const& who, std::vector<unreadable_values>& out, std::string const& of) {
                for (std::uint32_t p = 0; p < log.partitions(); ++p) {
                    unreadable_values found{of, p, 0, 0, 0};
                    read_offsets(log, p, {log.begin_offset(p)}, [&](partition_offset const& at, R const& record) {
                        if ((record.*field).empty() || !who.contains(detail::subject_in<Subject>(record))) return;
                        if (found.records++ == 0) found.first = at.offset;
                        found.last = at.offset;
                    });
                    if (found.records != 0) out.push_back(std::move(found));
                }
            }});
        return *this;
    }

    /// Erases a subject. One that was erased before is purged again.
    erasure_report erase(subject_id const& subject, std::string_view why = {}) {
        erasure_report out;
        out.number = erasures_->erase(subject, why);
        out.subject = subject.str();
        purge(out, true);
        erased_subjects only{out.number};
        only.add(subject);
        for (auto const& each : logs_) each.look(only, out.unreadable, each.name);
        return out;
    }
    template <canonical_key T>
        requires(!std::is_same_v<T, subject_id>)
    erasure_report erase(T const& id, std::string_view why = {}) {
        return erase(subject_id::of(id), why);
    }
    /// Does what an earlier process has left undone: destroys keys that an old copy of the store has brought back, and
    /// purges the places that have not said since the last erasure that they are.
    erasure_report resume() { return purge_places(false); }
    /// The same for all places, whatever they have said: for when one was brought back from a backup.
    erasure_report purge_again() { return purge_places(true); }

private:
    void require_same(erasure_log const& theirs) const {
        if (&theirs == erasures_) return;
        throw error{error_code::invalid_argument,
            "an eraser and its key store have one erasure log: give both the same object", erasures_->path()};
    }
    erasure_report purge_places(bool all) {
        erasure_report out;
        out.number = erasures_->erasures();
        purge(out, all);
        return out;
    }
    void purge(erasure_report& out, bool all) {
        out.at = erasures_->now();
        out.keys = destroy_();
        auto const who = erasures_->subjects();
        for (auto const& each : places_) {
            auto const known_as = each.kind + " " + each.name;
            if (who.empty() || (!all && erasures_->purged(known_as) >= who.number())) continue;
            erasure_report::place said{each.kind, each.name, 0, false, {}};
            try {
                auto const got = each.purge(who);
                said.removed = got.removed;
                said.note = got.note;
                said.done = got.whole;
                if (got.whole) erasures_->note_purged(known_as, who.number(), got.removed);
            } catch (std::exception const& problem) {
                said.done = false;
                said.note = problem.what();
            }
            out.places.push_back(std::move(said));
        }
    }
};
}  // namespace driftless::inline v0
#endif
