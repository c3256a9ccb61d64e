// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CORRECTION_START_HPP
#define DRIFTLESS_VIEW_DETAIL_CORRECTION_START_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/time/watermark.hpp>
#include <driftless/view/detail/correction_reach.hpp>
#include <driftless/view/detail/rows_file.hpp>
#include <driftless/view/detail/snapshot_search.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {
/// The newest event time that a job had read when it took a snapshot; +inf if the snapshot does not say.
inline event_time newest_in(snapshot_store const& store, snapshot_manifest const& manifest) {
    auto newest = event_time::min();
    bool told = false;
    snapshot_store::reader from{store, manifest};
    std::string room;
    for (auto const& member : manifest.members) {
        if (member.name != "partitions") continue;
        partition_clock clock;
        byte_reader in{from.bytes_of(member, room)};
        clock.load(in);
        auto const& all = clock.partitions();
        for (std::size_t i = 0; i < all.inputs(); ++i) newest = std::max(newest, all.watermark_of(i));
        told = true;
    }
    return told ? newest : event_time::max();
}

struct no_rows {
    static void for_each(auto const&) {}
};

/// Makes the folder of a correction such that its job begins where everything that it corrects is still to come: with
/// the nearest snapshot of a version of the same pipeline, whatever its functions, or with the log. It begins without
/// rows. Says where, for people.
///
/// Errors      not_there where it would have to begin with a part of the log that has been removed.
template <class K, class V, class Definition>
std::string place_correction(listed_version& made, Definition const& of, correction_reach const& reach, bool whole_log,
    listed_versions const& list, std::string const& folder, file_system& files) {
    if (!whole_log && reach.first != event_time::min()) {
        auto const found = find_snapshot(of, true, list, folder, files,
            [&](snapshot_store const& store, snapshot_manifest const& each) {
                return newest_in(store, each) < reach.first;
            });
        if (found) {
            auto const in = version_folder(folder, made.number);
            build about;
            about.number = made.number;
            write_rows<K, V>(in, rows_name(found->manifest.number, false), about, no_rows{}, files);
            copy_state(*found, made.number, of.logic_version, folder, files);
            made.based_on = found->version;
            made.starts = list.find(found->version)->starts;
            return sentence({"from snapshot ", found->manifest.number, " of version ", found->version, ", after ",
                found->manifest.records, " records"});
        }
    }
    for (auto const& each : of.partitions()) {
        if (each.begin == 0) continue;
        throw error{error_code::not_there,
            sentence({"no snapshot was taken before what is to be corrected, and partition ",
                std::uint64_t{each.partition}, " of the log begins at offset ", each.begin,
                ": what the rows were made of may have been removed; correct from a later time on, or deploy() a "
                "version from where you want it"}),
            folder, each.begin};
    }
    return "from the beginning";
}
}  // namespace driftless::inline v0::detail
#endif
