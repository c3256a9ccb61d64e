// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_CHUNK_RING_HPP
#define DRIFTLESS_OP_DETAIL_CHUNK_RING_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>

// How operators by key run on several threads: records are copied into chunks, a full chunk goes to all workers, each
// takes what is of its shard, and the job's own thread hands on what came of it, chunk by chunk. What a chunk holds and
// what is done with it, the operator says (shards.hpp, join_shards.hpp, dedup_shards.hpp).

namespace driftless::inline v0::detail {

/// The share of one worker in one chunk: apply() runs on that worker, and what it throws on the thread that collects.
class chunk_share : public work_item {
    template <class, class, class>
    friend class worker_chunk;
    template <class>
    friend class chunk_ring;
    std::exception_ptr failure_;
    std::size_t ticket_ = 0;

public:
    growing_array<std::uint32_t> mine;  // which items of the chunk

    chunk_share() = default;
    chunk_share(chunk_share const&) = delete;
    chunk_share& operator=(chunk_share const&) = delete;
    void work() noexcept final {
        try {
            apply();
        } catch (...) {
            failure_ = std::current_exception();
        }
    }

protected:
    ~chunk_share() = default;

private:
    virtual void apply() = 0;
};

/// Records and, by their sequence numbers, what came between them: watermarks and the like.
///
/// Item, Mark  have a `sequence`
/// Share       a chunk_share
template <class Item, class Mark, class Share>
class worker_chunk {
public:
    using share_type = Share;
    growing_array<Item> items;
    growing_array<Mark> marks;
    arena bytes;  // what records borrow
    growing_array<Share*> shares;
    std::uint64_t next_sequence = 0;

    worker_chunk() = default;
    worker_chunk(worker_chunk const&) = delete;
    worker_chunk& operator=(worker_chunk const&) = delete;
    ~worker_chunk() {
        for (auto* const each : shares) delete each;
    }
    [[nodiscard]] bool empty() const noexcept { return items.empty() && marks.empty(); }
    /// Gives the item that was added last to a shard.
    void assign_last(std::size_t shard) {
        shares[shard]->mine.push_back(static_cast<std::uint32_t>(items.size() - 1));
    }
    /// Throws what a worker has thrown.
    void require_success() const {
        for (auto* const each : shares) {
            if (each->failure_) std::rethrow_exception(each->failure_);
        }
    }
    void clear() {
        items.clear();
        marks.clear();
        bytes.reset();
        next_sequence = 0;
        for (auto* const each : shares) each->mine.clear();
    }
};

/// Chunks on their way to the workers and back: one is filled, the others are under way, and the oldest comes back
/// first. No more than `depth` are out, so that a slow sink slows the source down.
///
/// Chunk       a worker_chunk
/// Threads     The job's own thread calls; workers see the chunks that were submitted.
template <class Chunk>
class chunk_ring {
    static constexpr std::size_t depth = 3;
    executor* threads_;
    Chunk chunks_[depth];
    std::size_t filling_ = 0;    // chunks_[filling_ % depth] takes records
    std::size_t collected_ = 0;  // chunks before this one have been handed on

public:
    static constexpr std::size_t chunk_records = 1024;  // then it is full

    /// prepare     called as prepare(share, chunk, worker) for each share
    template <class Prepare>
    chunk_ring(executor* threads, Prepare const& prepare) : threads_(threads) {
        for (auto& each : chunks_) {
            each.items.reserve(chunk_records);
            for (std::size_t i = 0; i < threads->workers(); ++i) {
                each.shares.push_back(new typename Chunk::share_type);
                prepare(*each.shares.back(), each, i);
            }
        }
    }
    chunk_ring(chunk_ring const&) = delete;
    chunk_ring& operator=(chunk_ring const&) = delete;
    /// Waits for what is under way: its results are lost with the job.
    ~chunk_ring() {
        while (collected_ != filling_) wait_for(oldest());
    }

    /// The one that takes records.
    [[nodiscard]] Chunk& filling() noexcept { return chunks_[filling_ % depth]; }

    /// Sends off the chunk that takes records, and calls collect(chunk) for one that has to come back for that.
    template <class Collect>
    void submit(Collect const& collect) {
        auto& full = chunks_[filling_++ % depth];
        for (std::size_t i = 0; i < full.shares.size(); ++i)
            full.shares[i]->ticket_ = threads_->submit(i, *full.shares[i]);
        if (filling_ - collected_ == depth) collect_oldest(collect);
    }
    /// Sends off what there is, and collects all.
    template <class Collect>
    void flush(Collect const& collect) {
        if (!filling().empty()) submit(collect);
        while (collected_ != filling_) collect_oldest(collect);
    }

private:
    [[nodiscard]] Chunk& oldest() noexcept { return chunks_[collected_++ % depth]; }
    void wait_for(Chunk& done) {
        for (std::size_t i = 0; i < done.shares.size(); ++i) threads_->wait(i, done.shares[i]->ticket_);
    }
    template <class Collect>
    void collect_oldest(Collect const& collect) {
        auto& done = oldest();
        wait_for(done);
        done.require_success();
        collect(done);
    }
};
}  // namespace driftless::inline v0::detail
#endif
