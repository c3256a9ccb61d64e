// SPDX-License-Identifier: BSL-1.0
// examples/tutorial.cpp - what fruit is sold in each minute, in the steps of docs/tutorial.md: over a vector, over a
// log in files, as a stream that follows it, with snapshots, and into files exactly once. tests/examples/tutorial.sh
// types the commands of that page.
// args:
// expect: minute 0: 1 pears, 25 cents
// expect: minute 0: 1 apples, 30 cents
// expect: minute 1: 2 apples, 60 cents
// args: append 250
// expect: the log has 250 sales
// args: batch
// expect: minute 0: 30 apples, 900 cents
// expect: minute 4: 3 pears, 75 cents
// expect: minute 4: 5 apples, 150 cents
// args: finish
// args: batch by_batch
#include <driftless/driftless.hpp>
#include <driftless/io/directory_sink.hpp>

#include <charconv>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct sale {
    dl::text fruit;
    std::int64_t cents;
    dl::event_time at;
};
struct total {
    std::int64_t sold;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(sale, fruit, cents, at);
BOOST_HANA_ADAPT_STRUCT(total, sold, cents);

inline constexpr auto sold_per_minute =
    dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{5_s})
    | dl::key_by<&sale::fruit>()
    | dl::window(dl::tumbling{1_min})
    | dl::aggregate<total>(dl::count(), dl::sum<&sale::cents>());

void print(auto const& row) {
    std::cout << "minute " << row.window.start.ms() / 60'000 << ": " << row.value.sold << ' '
              << std::string_view{row.key} << ", " << row.value.cents << " cents" << std::endl;
}

// --- a vector -----------------------------------------------------------------------------------------------

dl::event_time at(dl::duration since_start) { return dl::event_time{} + since_start; }

void first() {
    std::vector<sale> const sales{
        {"apples", 30, at(5_s)}, {"pears", 25, at(10_s)}, {"apples", 30, at(70_s)}, {"apples", 30, at(65_s)}};
    for (auto const& row : dl::run(dl::batch{}, sold_per_minute, sales)) print(row);
}

// --- a log in files -----------------------------------------------------------------------------------------

/// One a second, and every tenth is heard of five seconds late.
sale sale_number(std::uint64_t i) {
    static constexpr struct {
        char const* fruit;
        std::int64_t cents;
    } sold[] = {{"apples", 30}, {"pears", 25}, {"apples", 30}, {"plums", 40}};
    auto const& [fruit, cents] = sold[i % 4];
    auto const second = static_cast<std::int64_t>(i) - (i % 10 == 9 ? 5 : 0);
    return {fruit, cents, at(second * 1_s)};
}

void append(std::uint64_t count) {
    dl::file_log<sale> sales{"sales"};
    auto const begin = sales.end_offset();
    for (auto i = begin; i < begin + count; ++i) sales.append(sale_number(i));
    std::cout << "the log has " << sales.end_offset() << " sales\n";
}

dl::file_log<sale> open_to_read() { return dl::file_log<sale>{"sales", {.access = dl::log_access::read}}; }

void batch() {
    auto const sales = open_to_read();
    for (auto const& row : dl::run(dl::batch{}, sold_per_minute, sales)) print(row);
}

// --- a stream that follows it -------------------------------------------------------------------------------

void follow() {
    auto const sales = open_to_read();
    dl::run(dl::stream{}, sold_per_minute, sales, dl::to([](auto const& row) { print(row); }));
}

// --- with snapshots -----------------------------------------------------------------------------------------

dl::stream with_snapshots(std::string_view folder) {
    dl::stream mode{.snapshots = folder};
    mode.snapshot_options = {.every = {}, .records = 100, .logic_version = "1"};
    return mode;
}

void resume() {
    auto const sales = open_to_read();
    dl::run(with_snapshots("state"), sold_per_minute, sales, dl::to([](auto const& row) { print(row); }));
}

// --- exactly once -------------------------------------------------------------------------------------------

using total_files = dl::directory_sink<dl::pane<dl::text, total>>;

void commit() {
    auto const sales = open_to_read();
    total_files totals{"totals", {}, {.key_columns = {"fruit"}}};
    dl::run(with_snapshots("state_of_totals"), sold_per_minute, sales, totals);
}

void finish() {
    auto const sales = open_to_read();
    total_files totals{"totals", {}, {.key_columns = {"fruit"}}};
    auto to_the_end = with_snapshots("state_of_totals");
    to_the_end.until = dl::drained;
    dl::run(to_the_end, sold_per_minute, sales, totals);
}

void batch_into(std::string const& folder) {
    auto const sales = open_to_read();
    total_files totals{folder, {}, {.key_columns = {"fruit"}}};
    dl::run(dl::batch{}, sold_per_minute, sales, totals);
}

/// 1 to 1,000,000; 0 for what is no such number.
std::uint64_t number_in(std::string const& word) {
    std::uint64_t number = 0;
    auto const [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
    return problem == std::errc{} && end == word.data() + word.size() && number <= 1'000'000 ? number : 0;
}

int main(int argc, char** argv) {
    std::string const command = argc > 1 ? argv[1] : "";
    std::string const word = argc > 2 ? argv[2] : "";
    try {
        if (command.empty()) first();
        else if (command == "append" && number_in(word) != 0) append(number_in(word));
        else if (command == "batch" && word.empty()) batch();
        else if (command == "batch") batch_into(word);
        else if (command == "follow") follow();
        else if (command == "resume") resume();
        else if (command == "commit") commit();
        else if (command == "finish") finish();
        else {
            std::cerr << "usage: tutorial [append N | batch [FOLDER] | follow | resume | commit | finish], "
                         "where N is 1 to 1000000\n";
            return 2;
        }
    } catch (std::exception const& problem) {
        std::cerr << "tutorial: " << problem.what() << '\n';
        return 1;
    }
}
