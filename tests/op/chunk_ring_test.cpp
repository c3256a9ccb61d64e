// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/detail/chunk_ring.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {
using driftless::detail::chunk_ring;
using driftless::detail::chunk_share;
using driftless::detail::worker_chunk;

/// Works as late as it may: when somebody waits for it.
class idle_workers final : public driftless::executor {
    std::vector<std::vector<driftless::work_item*>> queues_;
    std::vector<std::size_t> done_;

public:
    explicit idle_workers(std::size_t n) : queues_(n), done_(n, 0) {}
    [[nodiscard]] std::size_t workers() const noexcept override { return queues_.size(); }
    std::size_t submit(std::size_t worker, driftless::work_item& item) override {
        queues_[worker].push_back(&item);
        return queues_[worker].size();
    }
    void wait(std::size_t worker, std::size_t ticket) override {
        for (; done_[worker] < ticket; ++done_[worker]) queues_[worker][done_[worker]]->work();
    }
    /// Items that nobody has waited for.
    [[nodiscard]] std::size_t left() const {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < queues_.size(); ++i) sum += queues_[i].size() - done_[i];
        return sum;
    }
};

struct item {
    std::uint64_t sequence;
    int number;
};
struct mark {
    std::uint64_t sequence;
};
struct share;
using chunk = worker_chunk<item, mark, share>;
/// Adds up its numbers; 13 is none that it can take.
struct share final : chunk_share {
    chunk* of = nullptr;
    int sum = 0;

private:
    void apply() override {
        for (auto const index : mine) {
            auto const number = of->items[index].number;
            if (number == 13) throw std::runtime_error{"thirteen"};
            sum += number;
        }
    }
};

/// Numbers that go round over two workers, two to a chunk; what came back, chunk by chunk.
struct adder {
    idle_workers threads{2};
    chunk_ring<chunk> ring{&threads, [](share& of, chunk& in, std::size_t) { of.of = &in; }};
    std::vector<std::pair<int, int>> sums{};

    auto collect() {
        return [this](chunk& done) {
            sums.emplace_back(done.shares[0]->sum, done.shares[1]->sum);
            for (auto* const each : done.shares) each->sum = 0;
            done.clear();
        };
    }
    void add(int number) {
        auto& into = ring.filling();
        into.items.push_back(item{into.next_sequence++, number});
        into.assign_last((into.items.size() - 1) % 2);
        if (into.items.size() == 2) ring.submit(collect());
    }
};
using sums = std::vector<std::pair<int, int>>;
}  // namespace

TEST_CASE("chunks come back in order, the oldest when a third is sent off", "[op][chunk_ring]") {
    adder of;
    for (int i = 1; i <= 4; ++i) of.add(i);
    CHECK(of.sums.empty());
    for (int i = 5; i <= 8; ++i) of.add(i);
    CHECK(of.sums == sums{{1, 2}, {3, 4}});
    of.add(9);
    of.ring.flush(of.collect());
    CHECK(of.sums == sums{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 0}});
    of.ring.flush(of.collect());  // there is nothing any more
    CHECK(of.sums.size() == 5);
}

TEST_CASE("what a worker throws comes out where its chunk is collected, and nothing of the chunk", "[op][chunk_ring]") {
    adder of;
    for (int const each : {1, 2, 3, 13}) of.add(each);
    of.add(4);
    CHECK_THROWS_WITH(of.ring.flush(of.collect()), "thirteen");
    CHECK(of.sums == sums{{1, 2}});
}

TEST_CASE("a ring that goes waits for what is under way", "[op][chunk_ring]") {
    idle_workers threads{2};
    {
        chunk_ring<chunk> ring{&threads, [](share& of, chunk& in, std::size_t) { of.of = &in; }};
        for (int i = 0; i < 2; ++i) {
            auto& into = ring.filling();
            into.items.push_back(item{into.next_sequence++, i});
            into.assign_last(0);
            ring.submit([](chunk&) {});
        }
        CHECK(threads.left() == 4);
    }
    CHECK(threads.left() == 0);
}
