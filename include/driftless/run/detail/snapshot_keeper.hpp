// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_SNAPSHOT_KEEPER_HPP
#define DRIFTLESS_RUN_DETAIL_SNAPSHOT_KEEPER_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/run/answers.hpp>
#include <driftless/run/detail/adoption.hpp>
#include <driftless/run/detail/answers_file.hpp>
#include <driftless/run/detail/journal_file.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/logic_version.hpp>
#include <driftless/run/report.hpp>
#include <driftless/run/snapshot_options.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Takes snapshots of a job into its folder when they are due, and takes the newest up when the job starts. A snapshot
/// decides for the transactional sinks of the job: they prepare, its manifest is written, they commit.
///
/// Watch       Has save and load, for what else is part of the state of a job.
template <class Engine, class Watch>
class snapshot_keeper {
    Engine& engine_;
    Watch& watch_;
    snapshot_options options_;
    std::string job_;
    std::string logic_;
    snapshot_store store_;
    std::optional<journal_file> journal_;
    std::optional<answers_file> answers_;
    bool stopped_ = false;  // takes no more
    snapshot_manifest last_;  // the newest that is valid; number 0: none
    std::uint64_t next_number_ = 1;
    event_time taken_ = event_time::min();  // the last attempt, by the clock of the job
    std::uint64_t taken_at_ = 0;            // and by records
    std::size_t failed_ = 0;                // attempts in a row
    std::uint64_t failures_ = 0;            // attempts in all
    std::size_t failure_warning_ = 0;       // which warning tells of them
    std::size_t since_full_ = 0;            // snapshots
    bool whole_ = true;                     // last_ does not say where the state of this job lies
    std::vector<std::string>& warnings_;
    snapshot_report told_;

public:
    snapshot_keeper(Engine& engine, Watch& watch, std::string folder, snapshot_options const& options,
        std::vector<std::string>& warnings)
        : engine_(engine),
          watch_(watch),
          options_(options),
          job_(options.job),
          logic_(options.logic_version.empty() ? build_id() : std::string{options.logic_version}),
          store_(std::move(folder), options.files != nullptr ? *options.files : real_files()),
          warnings_(warnings) {
        if (options_.every < duration{} || options_.keep == 0 || options_.full_every == 0) {
            throw error{error_code::invalid_argument,
                "snapshot_options needs every >= 0, and keep and full_every of at least 1"};
        }
    }

    /// Where the job was: takes the newest snapshot up that is whole, and says of each that is not.
    void start() {
        auto const all = store_.numbers();
        if (all.empty()) require_no_older_format();
        store_.claim();
        if (watch_.wants_journal()) {
            journal_.emplace(files(), store_.folder(), store_.instance());
            watch_.keep_journal(journal_in(*journal_));
        }
        auto& services = engine_.services();
        if (services.asking != nullptr && services.answers.log == nullptr) {
            answers_.emplace(files(), store_.folder(), store_.instance());
            services.answers = answers_in(*answers_);
        }
        next_number_ = store_.next_number();
        for (auto i = all.size(); i-- > 0;) {
            try {
                auto found = store_.read(all[i]);
                typename snapshot_store::reader bytes{store_, found};
                take_up(found, bytes);
                break;
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt) throw;
                warnings_.push_back(sentence({"snapshot ", all[i],
                    " was left aside, and the one before it is looked for: ", std::string_view{problem.what()}}));
            }
        }
        if (answers_ && last_.number == 0 && answers_->begin_offset() != 0) answers_->forget();
        engine_.each_transactional_sink(
            [&](auto& sink) { sink.recover({job_, last_.number, last_.instance, store_.instance()}); });
        taken_at_ = engine_.records();
    }
    /// The job had been drained.
    [[nodiscard]] bool ended() const noexcept { return last_.ended; }

    /// So many records may be read before it has to be asked again.
    [[nodiscard]] std::size_t until_due(std::size_t at_most) const {
        constexpr std::size_t chunk = 16384;
        auto room = at_most < chunk ? at_most : chunk;
        if (options_.records != 0) {
            auto const since = engine_.records() - taken_at_;
            auto const left = since < options_.records ? options_.records - since : 0;
            if (left < room) room = static_cast<std::size_t>(left);
        }
        return room;
    }
    [[nodiscard]] bool tells_time() const noexcept { return options_.every > duration{}; }
    [[nodiscard]] bool due(event_time now) {
        if (options_.records != 0 && engine_.records() - taken_at_ >= options_.records) return true;
        if (!tells_time()) return false;
        if (taken_ == event_time::min()) taken_ = now;
        return now - taken_ >= options_.every;
    }
    void stop() noexcept { stopped_ = true; }
    /// For the metrics of the job.
    [[nodiscard]] snapshot_report told() const noexcept {
        auto out = told_;
        out.number = last_.number;
        out.at = last_.number == 0 ? event_time::min() : last_.taken_at;
        return out;
    }
    /// The state has come from elsewhere: the next snapshot is a full one.
    void forget() noexcept { whole_ = true; }
    /// Takes a snapshot; `ended` says that it is the last one.
    void take(event_time now, bool ended) {
        taken_ = now;
        taken_at_ = engine_.records();
        if (stopped_) return;
        auto const began = std::chrono::steady_clock::now();
        try {
            write(now, ended);
            failed_ = 0;
            auto const took = std::chrono::steady_clock::now() - began;
            told_.took = duration{std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()};
            ++told_.taken;
            told_.bytes = 0;
            for (auto const& member : last_.members) {
                for (auto const& part : member.extents) told_.bytes += part.file == 0 ? part.size : 0;
            }
        } catch (error const& problem) {
            ++told_.failed;
            if (problem.code() != error_code::io || ++failed_ > options_.tolerated_failures || ended) throw;
            warn_of_failure(problem.what());
            return;
        }
        store_.keep_newest(options_.keep);
        if (journal_) journal_->remove_older();
        if (answers_) answers_->snapshot_taken(options_.keep);
    }

private:
    /// One warning for all of them, so that a job that runs for months with a full disk stays small.
    void warn_of_failure(std::string_view why) {
        if (++failures_ == 1) {
            failure_warning_ = warnings_.size();
            warnings_.emplace_back();
        }
        warnings_[failure_warning_] =
            sentence({"snapshots that failed (the one before stays): ", failures_, "; the last: ", why});
    }
    [[nodiscard]] file_system& files() const { return options_.files != nullptr ? *options_.files : real_files(); }
    /// Before 0.5 a folder had one file of this name.
    void require_no_older_format() const {
        if (!files().exists(store_.path_of("snapshot"))) return;
        throw error{error_code::unsupported,
            "the folder holds a snapshot of driftless 0.4 or older, or a file of another program: take it up with "
            "job::restore, or move it away to begin anew",
            store_.path_of("snapshot")};
    }
    void write(event_time now, bool ended) {
        auto made = describe();
        made.number = next_number_++;
        made.taken_at = now;
        made.ended = ended;
        engine_.each_transactional_sink([&](auto& sink) { sink.prepare(made.number); });
        bool const whole = whole_ || since_full_ + 1 >= options_.full_every;
        store_.write_state(made, whole ? nullptr : &last_, [&](auto& out) {
            out.begin_member("job", {});
            watch_.save(out);
            out.end_member();
            engine_.visit_state(store_visitor{out});
        });
        watch_.sync_journal();
        if (auto const& answers = engine_.services().answers; answers.log != nullptr) answers.sync(answers.log);
        store_.complete(made);
        last_ = std::move(made);
        since_full_ = whole ? 0 : since_full_ + 1;
        whole_ = false;
        engine_.each_transactional_sink([&](auto& sink) { sink.commit(last_.number); });
    }

    /// What the job is, and where it stands.
    [[nodiscard]] snapshot_manifest describe() {
        snapshot_manifest out;
        auto const plan = plan_of(engine_.pipeline());
        out.job = job_;
        out.library = sentence({std::uint64_t{version_major}, ".", std::uint64_t{version_minor}, ".",
            std::uint64_t{version_patch}});
        out.logic_version = logic_;
        out.instance = store_.instance();
        out.fingerprint = fingerprint(plan);
        out.records = engine_.records();
        out.failures = engine_.failures();
        out.operators = operators_of(plan);
        for (auto const* const each : engine_.lanes()) {
            snapshot_input in;
            in.partition = each->partition;
            in.offset = each->next;
            out.inputs.push_back(std::move(in));
        }
        std::size_t at = 0;
        engine_.each_named_input([&]<class Log>(std::string_view name, Log const& log) {
            for (std::uint32_t p = 0; p < log.partitions(); ++p, ++at) {
                out.inputs[at].name = name;
                out.inputs[at].schema = schema_of<typename Log::value_type>();
                if constexpr (requires { to_string(log.id()); }) out.inputs[at].log = to_string(log.id());
            }
        });
        return out;
    }

    void take_up(snapshot_manifest& found, snapshot_store::reader& bytes) {
        auto const ours = describe();
        if (found.job != ours.job) {
            throw error{error_code::mismatch,
                sentence({"the snapshots in this folder are of the job '", found.job, "', this one is '", ours.job,
                    "': give each job a folder of its own"}),
                store_.folder()};
        }
        if (options_.begin_anew) return pass_over(found);
        bool const same = found.fingerprint == ours.fingerprint && found.logic_version == ours.logic_version;
        if (!same && options_.if_changed == if_changed::fail) {
            throw error{error_code::mismatch, what_changed(found, ours), store_.folder()};
        }
        if (!same && options_.if_changed == if_changed::restart) {
            warnings_.push_back(sentence({"began anew (if_changed::restart): ", what_changed(found, ours)}));
            return pass_over(found);
        }
        place_inputs(found, ours);
        std::string room;
        auto const load_watch = [&](snapshot_member const& from) {
            byte_reader in{bytes.bytes_of(from, room)};
            watch_.load(in);
            in.expect_end();
        };
        if (found.members.empty() || found.members[0].name != "job") load_visitor::throw_other_member("?", "job");
        load_watch(found.members[0]);
        if (found.fingerprint == ours.fingerprint) {
            std::size_t at = 1;
            engine_.visit_state([&](std::string_view name, auto& member) {
                if (at == found.members.size()) load_visitor::throw_other_member("nothing", name);
                auto const& from = found.members[at++];
                if (from.name != name) load_visitor::throw_other_member(from.name, name);
                load_member(bytes.bytes_of(from, room), from.types, member);
            });
            if (at != found.members.size()) load_visitor::throw_other_member(found.members[at].name, "nothing");
            auto const* const filter = left_out::current();
            bool const purged = filter != nullptr && filter->dropped() != 0;
            whole_ = found.library != ours.library || !same || evolves(found) || purged;  // it may be written anew
            since_full_ = found.files.size() - 1;
        } else {
            adoption from{found, ours};
            engine_.visit_state([&](std::string_view name, auto& member) {
                auto const* const theirs =
                    from.next(name, label_of(member), evolves_state<std::remove_reference_t<decltype(member)>>);
                if (theirs != nullptr) load_member(bytes.bytes_of(*theirs, room), theirs->types, member);
            });
            warnings_.push_back(sentence({"adopted what is the same: ", what_changed(found, ours), from.report()}));
        }
        engine_.resume(found.records, found.failures);
        last_ = std::move(found);
    }
    /// Types in it may have another schema by now, and one snapshot has one schema of each.
    static bool evolves(snapshot_manifest const& of) noexcept {
        for (auto const& each : of.members) {
            if (!each.types.empty()) return true;
        }
        return false;
    }
    /// The job begins anew. Sinks have been committed up to it all the same.
    void pass_over(snapshot_manifest const& found) {
        last_.number = found.number;
        last_.instance = found.instance;
        if (journal_) journal_->forget();
        if (answers_) answers_->forget();
    }
    /// Reading goes on where it was.
    void place_inputs(snapshot_manifest const& found, snapshot_manifest const& ours) {
        auto const refuse = [&](std::string const& why) { throw error{error_code::mismatch, why, store_.folder()}; };
        if (found.inputs.size() != ours.inputs.size()) {
            refuse(
                "the snapshot has another number of partitions than the inputs: bring the inputs back that it was "
                "taken with");
        }
        for (auto* const each : engine_.lanes()) each->idle = false;
        engine_.extend();
        std::size_t i = 0;
        for (auto* const each : engine_.lanes()) {
            auto const& was = found.inputs[i];
            auto const& is = ours.inputs[i++];
            auto const which = [&] {
                return sentence({"partition ", std::uint64_t{is.partition}, " of the input",
                    is.name.empty() ? "" : " '", is.name, is.name.empty() ? "" : "'"});
            };
            if (was.name != is.name || was.partition != is.partition) {
                refuse(sentence(
                    {which(), " stands where the snapshot has another input: name the inputs as they were"}));
            }
            if (!was.log.empty() && !is.log.empty() && was.log != is.log) {
                refuse(sentence({which(), " is another log: the snapshot was taken over log ", was.log, ", this is ",
                    is.log, ": bring that log back, or start without the snapshots"}));
            }
            if (was.offset > each->visible_end()) {
                refuse(sentence({which(), " ends at ", each->visible_end(), ", and the snapshot has read up to offset ",
                    was.offset, ": it is another log, or has lost its end"}));
            }
            if (was.offset < each->begin()) {
                refuse(sentence({which(), " begins at ", each->begin(), ", and the snapshot has read up to offset ",
                    was.offset, " only: retention has removed what comes next"}));
            }
            each->next = was.offset;
            each->end = each->end < was.offset ? was.offset : each->end;
            each->looked = false;
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
