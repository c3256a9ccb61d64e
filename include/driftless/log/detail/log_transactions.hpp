// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_LOG_TRANSACTIONS_HPP
#define DRIFTLESS_LOG_DETAIL_LOG_TRANSACTIONS_HPP

#include <driftless/core/error.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/log_partition.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/log/detail/staged_transaction.hpp>
#include <driftless/log/detail/stored_block.hpp>
#include <driftless/log/log_transaction.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The transactions of a file_log that appends. One in one partition is a run of blocks there. One over several, and
/// one that is prepared, is a file beside the partitions: its name says whether it is decided, and whoever opens the
/// log appends what a decided one holds to the partitions that lack it.
///
/// Threads     Any number; those that have a file are decided one after the other.
template <class T, class Layout, class Log>
class log_transactions {
    using transaction = log_transaction<T, Layout, Log>;
    using partition = log_partition<T, Layout>;
    using blocks_by_partition = std::vector<typename partition::transaction_blocks>;
    struct kept_blocks {
        std::uint64_t number;
        blocks_by_partition blocks;
    };
    Log& log_;
    transaction_files files_;
    std::mutex deciding_;  // about transactions that have a file
    std::atomic<std::uint64_t> begun_{0};
    std::map<std::string, kept_blocks> kept_;  // what was prepared here need not be read again

public:
    explicit log_transactions(Log& log) : log_(log), files_(log.files(), log.path()) {}

    [[nodiscard]] transaction begin() { return {*this, next_number(), log_.partitions()}; }
    [[nodiscard]] partition& partition_of(std::uint32_t p) { return log_.writer(p); }

    void commit(transaction& of) {
        auto const touches = [&](std::uint32_t p) { return !of.blocks_[p].empty(); };
        std::uint32_t first = 0;
        while (first < log_.partitions() && !touches(first)) ++first;
        auto second = first + 1;
        while (second < log_.partitions() && !touches(second)) ++second;
        if (second < log_.partitions()) return commit_several(of);
        if (first < log_.partitions()) {
            append(first, of.blocks_[first], of.number_);
            of.abort();
            of.taken_ = first;
        }
        if (of.taken_) log_.after_append(*of.taken_, 0);
    }
    void prepare(transaction& of, std::string const& name) {
        require_plain_name(name, log_.path());
        std::lock_guard const alone{deciding_};
        for (auto const ending : {prepared_ending, committed_ending}) {
            if (!files_.exists(name, ending)) continue;
            throw error{error_code::invalid_argument,
                "a transaction of this name waits already: commit it or give it up first",
                files_.path_of(name, ending)};
        }
        stage(of, name, prepared_ending);
        kept_.insert_or_assign(name, kept_blocks{of.number_, std::exchange(of.blocks_, {})});
        of.blocks_.resize(log_.partitions());
    }

    /// See file_log::prepared, unfinished, commit_prepared and abort_prepared.
    [[nodiscard]] std::vector<std::string> prepared() const { return files_.names(prepared_ending); }
    [[nodiscard]] std::vector<std::string> unfinished() const {
        auto out = files_.names(committed_ending);
        std::erase_if(out, [](std::string const& name) { return name[0] == '.'; });  // of several partitions, unnamed
        return out;
    }
    bool commit_prepared(std::string const& name) {
        require_plain_name(name, log_.path());
        std::lock_guard const alone{deciding_};
        auto const kept = kept_.extract(name);  // if this fails, the next attempt looks at what is there
        bool const undecided = files_.exists(name, prepared_ending);
        if (undecided) files_.decide(name);
        else if (!files_.exists(name, committed_ending)) return false;
        if (undecided && kept) apply(kept.mapped().blocks, kept.mapped().number);
        else complete(name);
        files_.remove(name, committed_ending);
        return true;
    }
    bool abort_prepared(std::string const& name) {
        require_plain_name(name, log_.path());
        std::lock_guard const alone{deciding_};
        kept_.erase(name);
        return files_.remove(name, prepared_ending);
    }

    /// Completes what was decided before the log was opened, and removes what was never written whole.
    void recover() {
        files_.remove_unfinished();
        for (auto const& name : files_.names(committed_ending)) {
            complete(name);
            files_.remove(name, committed_ending);
        }
    }

private:
    /// Unique in the log: an epoch has one writer.
    std::uint64_t next_number() noexcept { return log_.progress_->epoch() << 32 | ++begun_; }

    void append(std::uint32_t p, typename partition::transaction_blocks const& blocks, std::uint64_t number) {
        log_.writer(p).append_transaction(blocks, number, [this] { log_.behind_.wake(); });
    }
    void commit_several(transaction& of) {
        std::lock_guard const alone{deciding_};
        auto const name = "." + std::to_string(of.number_);
        bool const decided = of.staged_ && files_.exists(name, committed_ending);
        of.staged_ = true;
        if (!decided) {
            stage(of, name, committed_ending);
            apply(of.blocks_, of.number_);
        } else {
            complete(name);
        }
        of.abort();  // before the file goes: whoever asks again must not begin anew
        files_.remove(name, committed_ending);
    }
    void stage(transaction& of, std::string const& name, std::string_view ending) {
        auto header = log_.header_of(0);
        header.base = of.number_;
        header.epoch = log_.progress_->epoch();
        header.created = log_.options_.clock().ns();
        auto const bytes = encode(header);
        auto const seal = staged_seal(header);
        std::vector<std::string_view> pieces{bytes};
        for (std::uint32_t p = 0; p < log_.partitions(); ++p) {
            block_header like{};
            like.kind = block_kind::records;
            like.layout = header.layout;
            like.first_offset = log_.writer(p).end_offset();
            like.append_time = header.created;
            like.epoch = header.epoch;
            like.producer = p;
            like.transaction = of.number_;
            for (auto const& each : of.blocks_[p]) pieces.push_back(each->finish(like, header.seed()));
        }
        pieces.emplace_back(seal);
        files_.write(name, ending, pieces);
    }
    void apply(blocks_by_partition const& blocks, std::uint64_t number) {
        for (std::uint32_t p = 0; p < log_.partitions(); ++p) {
            if (blocks[p].empty()) continue;
            append(p, blocks[p], number);
            log_.sync(p);
        }
        log_.wakeups_.notify();
    }
    /// Appends what the file of a committed transaction holds to the partitions that do not hold it yet.
    void complete(std::string const& name) {
        auto const staged = read_staged(log_.files(), files_.path_of(name, committed_ending));
        transaction again{*this, staged.number(), log_.partitions()};
        std::vector<std::uint64_t> from(log_.partitions(), ~std::uint64_t{0});
        for (auto const& each : staged.blocks) {
            auto const& header = each.raw.header();
            auto const p = static_cast<std::uint32_t>(header.producer);
            if (header.producer >= log_.partitions())
                each.malformed("the transaction speaks of a partition that is not");
            from[p] = std::min(from[p], header.first_offset);
            log_.records_.for_each_record(staged.header, each, [&](T const& record) { again.append(record, p); });
        }
        for (std::uint32_t p = 0; p < log_.partitions(); ++p) {
            if (again.blocks_[p].empty()) continue;
            log_.writer(p).flush();
            if (log_.writer(p).holds_transaction(staged.number(), from[p])) again.blocks_[p].clear();
        }
        apply(again.blocks_, again.number_);
        log_.sync();  // also what an attempt before had appended
    }
};
}  // namespace driftless::inline v0::detail
#endif
