// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_STAGED_TRANSACTION_HPP
#define DRIFTLESS_LOG_DETAIL_STAGED_TRANSACTION_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/segment_seal.hpp>
#include <driftless/log/detail/stored_block.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

// A transaction over several partitions, or one that somebody decides later, is first written to a file of its own in
// the folder `transactions`. The file is built like a segment: a header whose base is the number of the transaction,
// blocks whose `producer` is the partition they are for and whose `first_offset` is the end of that partition at the
// time, and a seal. Its name decides: NAME.prepared may still be given up, NAME.committed is appended to the partitions
// by whoever opens the log, unless they hold it already; then the file goes.
inline constexpr std::string_view transactions_folder = "transactions";
inline constexpr std::string_view prepared_ending = ".prepared";
inline constexpr std::string_view committed_ending = ".committed";

/// These files, by the names of transactions. One that is committed without a name has '.' and its number, which no
/// plain name is.
class transaction_files {
    file_system& files_;
    std::string log_;
    std::string folder_;

public:
    transaction_files(file_system& files, std::string const& log)
        : files_(files), log_(log), folder_(log + "/" + std::string{transactions_folder}) {}

    [[nodiscard]] std::string path_of(std::string const& name, std::string_view ending) const {
        return folder_ + "/" + name + std::string{ending};
    }
    [[nodiscard]] bool exists(std::string const& name, std::string_view ending) const {
        return files_.exists(path_of(name, ending));
    }
    [[nodiscard]] std::vector<std::string> names(std::string_view ending) const {
        std::vector<std::string> out;
        for (auto const& each : files_.list(folder_)) {
            if (each.folder || !each.name.ends_with(ending)) continue;
            out.push_back(each.name.substr(0, each.name.size() - ending.size()));
        }
        return out;
    }
    /// Durable when it returns.
    void write(std::string const& name, std::string_view ending, std::vector<std::string_view> const& pieces) const {
        if (files_.make_folder(folder_)) files_.sync_folder(log_);
        write_whole_file(folder_, name + std::string{ending}, pieces.data(), pieces.size(), files_);
    }
    /// A prepared one is committed: durable when it returns.
    void decide(std::string const& name) const {
        files_.rename(path_of(name, prepared_ending), path_of(name, committed_ending));
        files_.sync_folder(folder_);
    }
    /// False if there is none.
    bool remove(std::string const& name, std::string_view ending) const {
        if (!files_.remove(path_of(name, ending))) return false;
        files_.sync_folder(folder_);
        return true;
    }
    void remove_unfinished() const {
        for (auto const& name : names(unfinished_ending)) files_.remove(path_of(name, unfinished_ending));
    }
};

/// The seal of such a file.
inline std::string staged_seal(segment_header const& of) {
    return make_seal(of, segment_index{of.time_fields.size(), 0, 0}, {block_flag::closed, of.created, of.epoch});
}

/// What is in such a file.
struct staged_transaction {
    segment_header header;
    std::vector<stored_block> blocks;

    [[nodiscard]] std::uint64_t number() const noexcept { return header.base; }
};

/// Errors      not_there; corrupt, which cannot happen by a crash: the file has its name only once it is complete.
inline staged_transaction read_staged(file_system& files, std::string const& path) {
    auto const bytes = read_whole_file(path, files);
    if (!bytes) throw error{error_code::not_there, "the transaction is not there", path};
    staged_transaction out;
    out.header = decode_segment_header(*bytes, path);
    auto copy = std::make_shared<aligned_bytes>(bytes->size());
    std::memcpy(copy->data(), bytes->data(), bytes->size());
    std::string_view const all{copy->data(), bytes->size()};
    auto const name = std::make_shared<std::string const>(path);
    std::size_t at = encode(out.header).size();
    for (;;) {
        stored_block next{{}, copy, name, at};
        std::size_t wanted = 0;
        auto const state =
            block_view::find(all.substr(at), out.header.seed(), out.header.time_fields.size(), next.raw, wanted);
        if (state != block_state::whole) {
            throw error{error_code::corrupt,
                "the file of a transaction is damaged at byte " + std::to_string(at)
                    + ": bring it back, or move it away to go on without the transaction",
                path};
        }
        at += next.raw.header().size;
        if (next.raw.header().kind == block_kind::seal) break;
        for (std::size_t i = 0; i < next.raw.header().parts; ++i) next.raw.require_intact(i, path, next.position);
        out.blocks.push_back(std::move(next));
    }
    if (at != all.size()) {
        throw error{error_code::corrupt, "something follows the end of a transaction's file: move it away", path};
    }
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
