// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_PLAN_STEPS_HPP
#define DRIFTLESS_VIEW_DETAIL_PLAN_STEPS_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/replay_plan_result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The steps of plan_replay() that do not depend on types.

namespace driftless::inline v0::detail {
/// Why a replay cannot begin with a snapshot; empty if it can.
inline std::string why_not(replay_plan const& plan, bool adopts, snapshot_manifest const& of) {
    if (of.ended) return "its job had been drained";
    if (of.fingerprint != plan.fingerprint) return "it is of another pipeline";
    if (!adopts && of.logic_version != plan.logic_version) {
        return sentence({"its functions have logic version ", of.logic_version, ", these ", plan.logic_version});
    }
    if (of.inputs.size() != plan.inputs.size()) return "it has another number of partitions";
    for (std::size_t i = 0; i < of.inputs.size(); ++i) {
        auto const& was = of.inputs[i];
        auto const& is = plan.inputs[i];
        if (was.name != is.name || was.partition != is.partition) return "it has other inputs";
        if (!was.log.empty() && !is.log.empty() && was.log != is.log) return "it was taken over another log";
        if (was.offset < is.begin) return sentence({"retention has removed what comes behind it in ", is.label()});
        if (was.offset > is.end) return sentence({is.label(), " ends before it"});
    }
    return {};
}

/// Looks through the folders for the compatible snapshot that has read furthest, and for the size of the state. What
/// was wrong about the others stands in the notes.
inline void find_snapshot(
    replay_plan& out, bool adopts, std::vector<std::string> const& folders, file_system& files) {
    event_time newest = event_time::min();
    for (auto const& folder : folders) {
        if (!files.exists(folder)) {  // a store would make it
            out.notes.push_back(sentence({"there is no folder ", folder, " to look for snapshots in"}));
            continue;
        }
        snapshot_store const store{folder, files};
        std::string problem;
        for (auto const number : store.numbers()) {
            try {
                auto const manifest = store.read(number);
                if (!out.state_bytes || manifest.taken_at >= newest) {
                    newest = manifest.taken_at;
                    std::uint64_t sum = 0;
                    for (auto const& member : manifest.members) {
                        for (auto const& each : member.extents) sum += each.size;
                    }
                    out.state_bytes = sum;
                }
                problem = why_not(out, adopts, manifest);
                if (!problem.empty()) {
                    problem = sentence({"snapshot ", number, " in ", folder, " does not fit: ", problem});
                } else if (!out.snapshot || out.snapshot->records < manifest.records) {
                    out.snapshot = planned_snapshot{folder, number, manifest.records, {}};
                    for (auto const& each : manifest.inputs) out.snapshot->offsets.push_back(each.offset);
                }
            } catch (error const& damaged) {
                if (damaged.code() != error_code::corrupt && damaged.code() != error_code::unsupported) throw;
                problem = sentence({"snapshot ", number, " in ", folder, " cannot be read: ", damaged.what()});
            }
        }
        if (!problem.empty()) out.notes.push_back(std::move(problem));  // of the newest one
    }
}

/// Where the replay begins in each partition, and what is in the way.
inline void place_replay(replay_plan& out, replay_from const& from) {
    using place = replay_from::place;
    auto const refuse = [&](std::string sentence) { out.refusals.push_back(std::move(sentence)); };
    auto const& given = from.by_partition();
    if (from.kind() == place::offset && given.size() != 1 && given.size() != out.inputs.size()) {
        refuse(sentence({"a replay from offsets needs one for all partitions, or one for each of the ",
            std::uint64_t{out.inputs.size()}, ", and got ", std::uint64_t{given.size()}}));
    }
    if (from.kind() == place::snapshot && !out.snapshot) {
        refuse("there is no snapshot that the replay can begin with: replay from the beginning, or from an offset");
    }
    out.from_snapshot = from.kind() == place::snapshot && out.snapshot.has_value();
    for (std::size_t i = 0; i < out.inputs.size(); ++i) {
        auto& in = out.inputs[i];
        auto const label = in.label();
        if (from.kind() == place::beginning && in.begin != 0) {
            refuse(sentence({label, " begins at offset ", in.begin,
                ": retention has removed what came before, and the "
                "new version would lack it: replay from that offset if this is meant"}));
        } else if (from.kind() == place::offset && !given.empty()) {
            in.from = given[given.size() == out.inputs.size() ? i : 0];
            if (in.from < in.begin) {
                refuse(sentence({label, " begins at offset ", in.begin, ": retention has removed offset ", in.from,
                    ", where the replay is to begin"}));
            } else if (in.from > in.end) {
                refuse(sentence({label, " ends at offset ", in.end, ", before offset ", in.from,
                    ", where the replay is to begin"}));
            }
        } else if (from.kind() == place::time && !in.at_time) {
            refuse(sentence({label, " does not know when its records were appended: replay from an offset"}));
        } else if (from.kind() == place::time) {
            in.from = *in.at_time;
            if (in.begin != 0 && in.from == in.begin && in.first_append >= from.appended()) {
                refuse(sentence({label, " begins with what was appended at ", plan_text(in.first_append),
                    ": retention may have removed what was appended since ", plan_text(from.appended())}));
            }
        } else if (out.from_snapshot) {
            in.from = out.snapshot->offsets[i];
        }
        for (std::size_t k = 0; k < in.unreadable.size(); ++k) {
            if (in.unreadable_end[k] > in.from) refuse(in.unreadable[k]);
        }
        if (!in.path.empty() && in.begin != in.end && (!in.pinned || *in.pinned > in.from)) {
            out.notes.push_back(sentence({label,
                " is not pinned: retention may remove what is still to be read; "
                "log.pin() keeps it"}));
        }
    }
    bool const empty = from.kind() == place::offset || from.kind() == place::time;
    if (empty && out.state != state_class::stateless) {
        out.notes.push_back("the state is empty at the start: windows that began before it lack what came before");
    }
    if (out.snapshot && !out.from_snapshot) {
        out.notes.push_back(sentence({"a replay could begin with snapshot ", out.snapshot->number, " in ",
            out.snapshot->folder, ", and need not read ", out.snapshot->records, " records"}));
    }
}

/// Nanoseconds that `amount` takes at `rate` in each `per`.
inline double time_at(double amount, std::int64_t rate, duration per) {
    return rate <= 0 ? std::numeric_limits<double>::infinity()
                     : amount / static_cast<double>(rate) * static_cast<double>(per.ns());
}

/// How much is read and written, and how long it takes.
inline void estimate_replay(
    replay_plan& out, rate_limit const& limits, duration snapshot_every, std::uint64_t row_bytes, double speed) {
    double bytes = 0;
    double events = 0;
    for (auto const& each : out.inputs) {
        out.records += each.records();
        bytes += static_cast<double>(each.records()) * each.record_bytes;
        if (each.span && each.end > each.begin) {  // as if events were spread evenly
            auto const share = static_cast<double>(each.records()) / static_cast<double>(each.end - each.begin);
            events = std::max(events, share * static_cast<double>(each.span->ns()));
        }
    }
    out.bytes_to_read = static_cast<std::uint64_t>(bytes);
    auto const records = static_cast<double>(out.records);
    std::optional<double> ns;
    auto const at_least = [&](double other) { ns = std::max(ns.value_or(0), other); };
    if (limits.records != rate_limit::unlimited) at_least(time_at(records, limits.records, limits.per));
    if (limits.bytes != rate_limit::unlimited) at_least(time_at(bytes, limits.bytes, limits.per));
    if (limits.event_time != duration::max()) at_least(time_at(events, limits.event_time.ns(), limits.per));
    if (speed > 0) at_least(records / speed * 1e9);
    if (ns) {
        constexpr double most = 9.2e18;
        out.time = *ns < most ? duration{static_cast<std::int64_t>(*ns)} : duration::max();
    }
    if (!out.state_bytes && row_bytes == 0) return;
    // One at the end, and those on the way.
    double snapshots = 1;
    if (ns && snapshot_every > duration{}) snapshots += *ns / static_cast<double>(snapshot_every.ns());
    auto const written = snapshots * static_cast<double>(out.state_bytes.value_or(0) + row_bytes);
    out.bytes_to_write = static_cast<std::uint64_t>(std::min(written, 9.2e18));
}
}  // namespace driftless::inline v0::detail
#endif
