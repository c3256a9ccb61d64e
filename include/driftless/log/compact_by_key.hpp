// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_COMPACT_BY_KEY_HPP
#define DRIFTLESS_LOG_COMPACT_BY_KEY_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/compaction_state.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/log_door.hpp>
#include <driftless/log/detail/recode_segment.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/thin_block.hpp>
#include <driftless/log/partition_offset.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/log/reader_position.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/log/untyped_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How compact_by_key works.
struct key_compaction {
    /// A tombstone goes when a compaction has first seen it so long ago, and every registered reader has passed it.
    duration keep_tombstones = duration{86'400'000'000'000};
    /// So many keys are in memory at once, of a partition; with more of them one call compacts a part, and the next one
    /// goes on there.
    std::size_t keys_at_once = std::numeric_limits<std::size_t>::max();
};

/// What a compaction took.
struct compacted_log {
    std::uint64_t superseded = 0;  ///< records that went because their key has a newer one
    std::uint64_t tombstones = 0;  ///< that went
    std::uint64_t segments = 0;    ///< that were written anew
    std::uint64_t bytes_before = 0;  ///< of these
    std::uint64_t bytes_after = 0;
};

namespace detail {
struct no_tombstones {
    template <class T>
    bool operator()(T const&) const noexcept {
        return false;
    }
};

/// Compacts one partition.
template <class Log, class KeyOf, class IsTombstone>
class key_compactor {
    using record = typename Log::value_type;
    using key = std::remove_cvref_t<std::invoke_result_t<KeyOf const&, record const&>>;

    Log& log_;
    file_system& files_;
    std::uint32_t p_;
    KeyOf const& key_of_;
    IsTombstone const& is_tombstone_;
    key_compaction const& how_;
    compaction_state& state_;
    compacted_log& report_;
    segment_list segments_;
    std::vector<std::uint64_t> bases_;  // of what may be rewritten
    std::uint64_t end_ = 0;             // where that ends
    std::unordered_map<std::string, std::uint64_t> newest_;
    std::string key_bytes_;

public:
    key_compactor(Log& log, std::uint32_t p, KeyOf const& key_of, IsTombstone const& is_tombstone,
        key_compaction const& how, compaction_state& state, compacted_log& report)
        : log_(log),
          files_(log.files()),
          p_(p),
          key_of_(key_of),
          is_tombstone_(is_tombstone),
          how_(how),
          state_(state),
          report_(report),
          segments_(files_, partition_folder(log.path(), p), log.id(), p) {}

    void run() {
        auto const now = log_door::now(log_);
        auto const held = read_registrations(files_, log_.path(), log_.id(), log_.partitions(), now)[p_];
        auto const newest = find_segments(held.pinned);
        if (bases_.empty()) return;
        auto& of = state_.partitions[p_];
        auto const until = find_newest(std::max(of.clean, bases_.front()));
        if (of.begun < until) {  // first, so that nobody takes the rest for all there was
            of.begun = until;
            save();
        }
        bool const some_go = how_.keep_tombstones != duration::max();
        auto const before = some_go ? now - how_.keep_tombstones : event_time::min();
        auto const is_due = [&](std::uint64_t offset) {
            if (!some_go) return false;
            auto const seen = of.first_seen(offset);
            return seen && *seen <= before && offset != newest
                && held.slowest.value_or(offset + 1) > offset;
        };
        for (auto const base : bases_) rewrite(base, until, is_due);
        if (of.clean >= until) return;  // beyond: what was compacted is pinned now
        of.clean = until;
        of.passes.push_back({until, now.ns()});
        of.forget_before(before);
        save();
    }

private:
    void save() const {
        write_whole_file(
            log_.path(), std::string{compaction_state::file_name}, encode(state_, log_.id()), files_);
    }
    /// The sealed and durable segments that nobody has pinned. Returns the offset of the newest record of the sealed
    /// ones, which stays: every offset below the end has a record at or behind it.
    std::uint64_t find_segments(std::optional<std::uint64_t> pinned) {
        auto const durable = log_.durable_offset(p_);
        segments_.refresh();
        auto const all = segments_.bases();
        for (std::size_t i = 0; i + 1 < all.size(); ++i) {
            if (all[i + 1] > std::min(durable, pinned.value_or(durable))) break;
            bases_.push_back(all[i]);
            end_ = all[i + 1];
        }
        std::uint64_t newest = 0;
        for (auto i = all.size(); i-- > 1;) {
            bool found = false;
            each_block(all[i - 1], [&](stored_block const& block, segment const&) {
                auto const& header = block.raw.header();
                if (header.records == 0) return true;
                auto const places = block.raw.is_sparse() ? block.places() : nullptr;
                newest = places ? header.first_offset + places->back() : block.raw.end_offset() - 1;
                found = true;
                return true;
            });
            if (found) break;
        }
        return newest;
    }
    /// Calls f(block of records, segment) until it says false; then false.
    template <class F>
    bool each_block(std::uint64_t base, F&& f) {
        auto const found = segments_.complete_at(base);
        if (!found) return true;  // trimmed meanwhile
        auto const path = std::make_shared<std::string const>(found->path());
        bool goes_on = true;
        found->walk([&](block_view const& block, std::uint64_t position) {
            if (!goes_on || block.header().kind != block_kind::records) return;
            goes_on = f(stored_block{block, nullptr, path, position}, *found);
        });
        return goes_on;
    }
    /// Calls f(offset, record) for the records of a block.
    template <class F>
    void each_record(segment const& in, stored_block const& block, F&& f) {
        auto const first = block.raw.header().first_offset;
        auto const places = block.raw.is_sparse() ? block.places() : nullptr;
        std::size_t i = 0;
        log_door::for_each_record(log_, in.header(), block, [&](record const& each) {
            f(places ? first + (*places)[i] : first + i, each);
            ++i;
        });
    }
    std::string const& bytes_of_key(record const& of) {
        key_bytes_.clear();
        byte_writer{key_bytes_}.write(static_cast<key const&>(key_of_(of)));
        return key_bytes_;
    }
    /// Where each key was seen last, from an offset on; returns how far there was room for the keys.
    std::uint64_t find_newest(std::uint64_t from) {
        auto until = end_;
        for (std::size_t i = 0; i < bases_.size(); ++i) {
            if ((i + 1 < bases_.size() ? bases_[i + 1] : end_) <= from) continue;
            bool const all = each_block(bases_[i], [&](stored_block const& block, segment const& in) {
                if (block.raw.end_offset() <= from) return true;
                each_record(in, block, [&](std::uint64_t offset, record const& each) {
                    if (offset < from || offset >= until) return;
                    auto const& bytes = bytes_of_key(each);
                    if (auto const known = newest_.find(bytes); known != newest_.end()) known->second = offset;
                    else if (newest_.size() < how_.keys_at_once) newest_.emplace(bytes, offset);
                    else until = offset;
                });
                return until == end_;
            });
            if (!all) break;
        }
        return until;
    }
    template <class IsDue>
    void rewrite(std::uint64_t base, std::uint64_t until, IsDue const& is_due) {
        auto const found = segments_.complete_at(base);
        if (!found) return;
        auto const& header = found->header();
        auto const path = std::make_shared<std::string const>(found->path());
        untyped_schema const schema{header, *path};
        recoded_segment out;
        out.bytes = encode(header);
        segment_index index{header.time_fields.size(), header.base, out.bytes.size()};
        auto const before = report_;
        found->walk([&](block_view const& block, std::uint64_t position) {
            stored_block const stored{block, nullptr, path, position};
            std::vector<std::size_t> kept;
            if (block.header().kind == block_kind::records) kept = kept_of(*found, stored, until, is_due);
            auto ranges = std::vector<time_range>(header.time_fields.size());
            for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = block.range(i);
            if (block.header().kind != block_kind::records || kept.size() == block.header().records) {
                for (std::size_t i = 0; i < block.header().parts; ++i) block.require_intact(i, *path, position);
                out.bytes.append(block.bytes(), block.header().size);
                if (block.header().kind != block_kind::records) index.skip(block.header());
                else index.add(block.header(), ranges.data());
                return;
            }
            auto const compressed = block.part(0).compressed;
            auto const made = thin_block(
                untyped_block{stored, schema}, kept, block.header(), std::move(ranges), header.seed(), compressed);
            block_view thin;
            std::size_t wanted = 0;
            block_view::find(made, header.seed(), header.time_fields.size(), thin, wanted);
            ranges.assign(header.time_fields.size(), {});
            for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = thin.range(i);
            index.add(thin.header(), ranges.data());
            out.bytes += made;
        });
        if (before.superseded == report_.superseded && before.tombstones == report_.tombstones) return;
        end_recoded(out, *found, index);
        if (publish(base, out)) {
            report_.segments += 1;
            report_.bytes_before += found->file_size();
            report_.bytes_after += out.bytes.size();
        }
    }
    template <class IsDue>
    std::vector<std::size_t> kept_of(
        segment const& in, stored_block const& block, std::uint64_t until, IsDue const& is_due) {
        std::vector<std::size_t> kept;
        std::size_t i = 0;
        each_record(in, block, [&](std::uint64_t offset, record const& each) {
            auto const at = i++;
            if (offset < until) {
                auto const known = newest_.find(bytes_of_key(each));
                if (known != newest_.end() && known->second > offset) {
                    ++report_.superseded;
                    return;
                }
                if (is_tombstone_(each) && is_due(offset)) {
                    ++report_.tombstones;
                    return;
                }
            }
            kept.push_back(at);
        });
        return kept;
    }
    /// Puts a file in the place of a segment; false if that was removed meanwhile. Readers go on in the one they have.
    bool publish(std::uint64_t base, recoded_segment const& made) {
        auto const path = segments_.path_of(base);
        auto const beside = path + std::string{unfinished_ending};
        {
            auto const into = files_.open(beside, open_mode::create);
            into->truncate(0);
            into->write_at(0, made.bytes);
            into->sync();
        }
        bool there = false;
        log_door::with_segments(log_, p_, [&](segment_list& live) {
            there = live.locate(base).found && live.locate(base).base == base;
            if (!there) return;
            // The index file of the old one must not be taken for that of the new one.
            if (files_.remove(segments_.index_path_of(base))) files_.sync_folder(segments_.folder());
            files_.rename(beside, path);
            files_.sync_folder(segments_.folder());
            live.renew(base);
        });
        if (!there) {
            files_.remove(beside);
            return false;
        }
        write_whole_file(
            segments_.folder(), segment_name(base) + std::string{index_ending}, made.index, files_);
        return true;
    }
};
}  // namespace detail

/// Removes from a log the records whose key has a newer one: what is left says the last value of every key.
///
/// Shape       Offsets and order stay. Segments that are sealed and durable are written anew, one by one, the one that
///             is being written never is, nor what is pinned; of every key at least the newest record in them stays. A
///             read at an offset whose record is gone continues with the next one. What a transaction gave up was
///             never in a partition, and what is prepared is not yet: neither is seen. What producers have sent stays
///             known. The record at the end of what is sealed always stays.
/// State       The keys of what was not compacted yet, encoded, with an offset each (how.keys_at_once); one segment.
///             In the log a file `compaction`.
/// Errors      driftless::error: stopped if the log was opened to read; corrupt where it is damaged; io. Interrupted
///             anywhere, the log holds each record or a newer one of its key, and the next call goes on.
/// Threads     One call at a time; the log may be appended to and read.
/// Complexity  O(bytes of the sealed segments).
/// Source      Kafka's log cleaner (KIP-25, KIP-58, and KIP-534 on tombstones).
///
/// key_of         key_of(record): the key, anything that codec<K> can write
/// is_tombstone   is_tombstone(record): the key has no value any more; such a record goes as well, in the end
template <class Log, class KeyOf, class IsTombstone = detail::no_tombstones>
compacted_log compact_by_key(Log& log, KeyOf key_of, IsTombstone is_tombstone = {}, key_compaction const& how = {}) {
    using key = std::remove_cvref_t<std::invoke_result_t<KeyOf const&, typename Log::value_type const&>>;
    static_assert(encodable<key>,
        "driftless: compact_by_key needs a key that codec can write: return a number, text or an adapted struct from "
        "key_of");
    compacted_log out;
    if constexpr (encodable<key>) {
        if (how.keys_at_once == 0) {
            throw error{error_code::invalid_argument, "a compaction needs room for one key at least", log.path()};
        }
        log.sync();
        auto state = detail::read_compaction(log.files(), log.path(), log.id(), log.partitions());
        for (std::uint32_t p = 0; p < log.partitions(); ++p) {
            detail::key_compactor<Log, KeyOf, IsTombstone>{log, p, key_of, is_tombstone, how, state, out}.run();
        }
    }
    return out;
}
/// Of a tiered log what is hot is compacted. Tombstones stay while anything is cold: older records of their keys may be
/// there.
template <class Hot, class Cold, class KeyOf, class IsTombstone = detail::no_tombstones>
compacted_log compact_by_key(
    tiered_log<Hot, Cold>& log, KeyOf key_of, IsTombstone is_tombstone = {}, key_compaction how = {}) {
    return detail::log_door::while_nothing_moves(log, [&](bool cold) {
        if (cold) how.keep_tombstones = duration::max();
        return compact_by_key(log.hot(), std::move(key_of), std::move(is_tombstone), how);
    });
}

/// Below this offset records may have been removed by compact_by_key; 0 if the partition was never compacted.
///
/// Errors      corrupt.
template <class Log>
std::uint64_t compacted_before(Log const& log, std::uint32_t p = 0) {
    detail::require_partition(log, p);
    return detail::read_compaction(log.files(), log.path(), log.id(), log.partitions()).partitions[p].begun;
}

/// Calls f with every record below an offset, in order, as the log was when it ended there.
///
/// Errors      As read_offsets; not_there where the log was compacted by key beyond that offset: which records it held
///             then, nobody knows any more. At or behind that point the last record of every key is exact.
template <readable_log Log, range_function<typename Log::value_type> F>
range_report read_as_of(Log const& log, std::uint32_t p, std::uint64_t offset, F&& f) {
    auto const compacted = compacted_before(log, p);
    if (offset < compacted) {
        throw error{error_code::not_there,
            "what the log held at this offset is not known any more: it is compacted by key up to offset "
                + std::to_string(compacted) + ": ask for that offset or a later one",
            log.path(), offset};
    }
    return read_offsets(log, p, {log.begin_offset(p), offset}, f);
}
}  // namespace driftless::inline v0
#endif
