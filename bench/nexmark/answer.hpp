// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_NEXMARK_ANSWER_HPP
#define DRIFTLESS_BENCH_NEXMARK_ANSWER_HPP

#include "house.hpp"

#include <driftless/codec/checksum.hpp>

#include <support/contest.hpp>

#include <string>
#include <tuple>
#include <utility>

namespace bench::house {

/// A sink that throws rows away, as the public suite does, or keeps them to be compared.
template <class Rows>
class drain {
    Rows rows_;
    outcome out_;
    bool keep_rows_;

public:
    using keeps_rows = void;
    explicit drain(bool keep_rows) : keep_rows_(keep_rows) {}

    void write(auto const& row) {
        ++out_.written;
        bench::keep(row);
        if (keep_rows_) [[unlikely]]
            rows_.write(row);
    }
    void remove(auto const& key, dl::time_window window) {
        ++out_.removed;
        bench::keep(key);
        if (keep_rows_) [[unlikely]]
            rows_.remove(key, window);
    }
    /// The same for rows that are equal, in whatever order they are.
    outcome settle(dl::report made) {
        out_.records = made.records;
        rows_.settle(std::move(made));
        std::string bytes;
        for (auto const& row : rows_) {
            bytes.clear();
            dl::byte_writer to{bytes};
            put(to, row.key);
            put(to, row.window.start);
            put(to, row.window.end);
            put(to, row.value);
            out_.digest += dl::xxh3_64(bytes.data(), bytes.size());
        }
        out_.rows = rows_.size();
        return out_;
    }

private:
    /// A type that no codec knows says what it consists of.
    static void put(dl::byte_writer& to, auto const& value) {
        if constexpr (requires { parts_of(value); }) put(to, parts_of(value));
        else to.write(value);
    }
};

/// Runs a query as `how` says. `inputs(logs)` is a tuple of those it reads, bound to their names.
template <class Query, class Inputs>
outcome answer(setting const& how, Query const& query, Inputs inputs) {
    drain<dl::results_of<dl::output_of<Query>>> rows{how.keep_rows};
    auto const run = [&](auto const& mode, auto const& logs) {
        return std::apply([&](auto const&... each) { return dl::run(mode, query, each..., rows); }, inputs(logs));
    };
    auto const either = [&](auto const& logs) {
        if (how.how == mode::batch) return run(dl::batch{}, logs);
        return run(dl::stream{.until = dl::drained}, logs);
    };
    return rows.settle(how.where == place::memory ? either(how.logs->in_memory) : either(how.logs->in_files));
}

using namespace driftless::literals;
inline constexpr auto the_bids = [](auto const& of) { return std::tuple{dl::bind("bid"_name, of.bids)}; };
inline constexpr auto bids_and_auctions = [](auto const& of) {
    return std::tuple{dl::bind("bid"_name, of.bids), dl::bind("auction"_name, of.auctions)};
};
inline constexpr auto persons_and_auctions = [](auto const& of) {
    return std::tuple{dl::bind("person"_name, of.persons), dl::bind("auction"_name, of.auctions)};
};
inline constexpr auto bids_and_side_input = [](auto const& of) {
    return std::tuple{dl::bind("bid"_name, of.bids), dl::bind("side_input"_name, of.side_input)};
};
}  // namespace bench::house
#endif
