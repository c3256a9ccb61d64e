// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_ANSWERS_HPP
#define EXAMPLES_NEXMARK_ANSWERS_HPP

#include "nexmark.hpp"

#include <driftless/io/csv_writer.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nexmark {

/// What has happened at the auction house.
struct history {
    dl::memory_log<person> persons;
    dl::memory_log<auction> auctions;
    dl::memory_log<bid> bids;
    dl::memory_log<side_row> side_input;
};

enum class mode : std::uint8_t {
    batch,
    stream,
    restarted  // a stream that is stopped halfway; another job goes on from its snapshot
};

/// Runs a query over it in one of the modes: nothing else here knows which.
class runner {
    history const* of_;
    mode mode_;
    int threads_;

public:
    runner(history const& of, mode how, int threads) : of_(&of), mode_(how), threads_(threads) {}

    auto bids() const { return dl::bind("bid"_name, of_->bids); }
    auto auctions() const { return dl::bind("auction"_name, of_->auctions); }
    auto persons() const { return dl::bind("person"_name, of_->persons); }
    auto side_input() const { return dl::bind("side_input"_name, of_->side_input); }
    std::int64_t side_rows() const { return static_cast<std::int64_t>(of_->side_input.end_offset(0)); }

    template <class Query, class... Inputs>
    auto operator()(Query const& query, Inputs const&... inputs) const {
        dl::stream const streaming{.threads = threads_, .until = dl::drained};
        if (mode_ == mode::batch) return dl::run(dl::batch{.threads = threads_}, query, inputs...);
        if (mode_ == mode::stream) return dl::run(streaming, query, inputs...);

        decltype(dl::run(streaming, query, inputs...)) rows;
        auto const start = [&] { return dl::job{dl::stream{.threads = threads_}, query, inputs..., rows}; };
        std::string state;
        {
            auto first = start();
            auto const all = of_->bids.end_offset(0) + of_->auctions.end_offset(0) + of_->persons.end_offset(0);
            first.poll(static_cast<std::size_t>(all / 2));
            state = first.snapshot();
        }
        auto second = start();
        second.restore(state);
        second.drain();
        rows.settle(second.metrics());
        return rows;
    }
};

/// The rows of a query as lines of CSV, in the order of their bytes.
class answer {
    std::string header_;
    std::vector<std::string> lines_;

public:
    explicit answer(std::string_view header) : header_(header) {}

    template <class... Fields>
    void add(Fields const&... fields) {
        dl::csv_writer{lines_.emplace_back()}.write_row(fields...);
    }
    [[nodiscard]] std::size_t size() const { return lines_.size(); }
    [[nodiscard]] std::string str() {
        std::sort(lines_.begin(), lines_.end());
        std::string out = header_ + '\n';
        for (auto const& line : lines_) out += line;
        return out;
    }
};

struct query {
    std::string_view name;
    answer (*run)(runner const&);
};
std::span<query const> selections();  // select.cpp, and so on
std::span<query const> totals();
std::span<query const> bests();
std::span<query const> joins();
std::span<query const> winners();

/// 1234 with two places is 12.34.
std::string decimal(std::int64_t units, int places);
/// sum / count with two places; a half is rounded away from zero.
std::string average(std::int64_t sum, std::int64_t count);
/// sum / count to twenty places, without zeros at the end.
std::string quotient(std::int64_t sum, std::int64_t count);
/// 2015-07-15.
std::string date(dl::event_time at);
/// 14:05, of the minutes since midnight.
std::string clock(std::int64_t minutes);
}  // namespace nexmark
#endif
