// SPDX-License-Identifier: BSL-1.0
// examples/nexmark - an auction house: the queries of a public benchmark over who registers, sells and bids, each as a
// stream and as a batch.
// args:
// expect: batch = stream: all 29 queries
#include "answers.hpp"
#include "generator.hpp"

#include "../support/csv_file.hpp"
#include "../support/output.hpp"
#include "../support/program.hpp"
#include "../support/query_options.hpp"

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {
namespace dl = driftless;

std::vector<nexmark::query> all_queries() {
    std::vector<nexmark::query> out;
    for (auto const some : {nexmark::selections(), nexmark::totals(), nexmark::bests(), nexmark::joins(),
             nexmark::winners()}) {
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

std::vector<std::string_view> all_names() {
    std::vector<std::string_view> out;
    for (auto const& each : all_queries()) out.push_back(each.name);
    return out;
}

struct options : support::query_options {
    std::string bids;
};

constexpr std::string_view usage = R"(usage: nexmark [OPTION...]
Answers queries over persons, auctions and bids, as a stream and as a batch, and compares the two.

  --query NAME        only this query: q0 ... q22, q101 ... q106
  --data DIR          read person.csv, auction.csv, bid.csv and, for q13, side_input.csv there (default: made up)
  --bids FILE         read the bids from this file instead
  --mode MODE         batch or stream (default: both, compared)
  --restart           stop the stream halfway, and go on from its snapshot
  --threads N         shards of keyed state (default: 1)
  --csv               the rows as CSV on standard output, nothing else there; needs --query
  --generate N        make up N events (default: 50000)
  --seed S            others with each seed (default: 1)
  --csv DIR           with --generate: write the events to CSV files in this folder, and answer nothing
  --help              this text

Exit status: 0, 1 if the input is no good or the modes differ, 2 if the command line is no good.
)";

options parse(int argc, char** argv) {
    std::string bids;
    options out{support::parse(all_names(), "events", 50'000, argc, argv,
                    [&](std::string_view name, auto const& value) {
                        if (name != "--bids") return false;
                        bids = value();
                        return true;
                    }),
        {}};
    out.bids = bids;
    if (!bids.empty() && out.data.empty()) {
        throw support::usage_error{"--bids needs persons and auctions beside it: name their folder with --data"};
    }
    return out;
}

struct csv_files {
    support::csv_file<nexmark::person> persons;
    support::csv_file<nexmark::auction> auctions;
    support::csv_file<nexmark::bid> bids;
    support::csv_file<nexmark::side_row> side_input;
};
int write_csv(options const& asked) {
    std::filesystem::create_directories(asked.csv_folder);
    auto const path = [&](char const* name) { return asked.csv_folder + '/' + name; };
    csv_files files{support::csv_file<nexmark::person>{path("person.csv")},
        support::csv_file<nexmark::auction>{path("auction.csv")},
        support::csv_file<nexmark::bid>{path("bid.csv")}, support::csv_file<nexmark::side_row>{path("side_input.csv")}};
    nexmark::generator{{.events = asked.count, .seed = asked.seed}}.fill(files);
    files.persons.finish();
    files.auctions.finish();
    files.bids.finish();
    files.side_input.finish();
    return 0;
}

int answer(options const& asked) {
    nexmark::history events;
    if (asked.data.empty()) {
        nexmark::generator{{.events = asked.count, .seed = asked.seed}}.fill(events);
    } else {
        auto const path = [&](char const* name) { return asked.data + '/' + name; };
        support::read_csv<nexmark::person>(path("person.csv"), events.persons);
        support::read_csv<nexmark::auction>(path("auction.csv"), events.auctions);
        support::read_csv<nexmark::bid>(asked.bids.empty() ? path("bid.csv") : asked.bids, events.bids);
        if (std::filesystem::exists(path("side_input.csv"))) {
            support::read_csv<nexmark::side_row>(path("side_input.csv"), events.side_input);
        }
    }

    std::size_t equal = 0, different = 0;
    for (auto const& query : all_queries()) {
        if (!asked.query.empty() && query.name != asked.query) continue;
        if (asked.query.empty() && query.name == "q13" && events.side_input.end_offset(0) == 0) {
            std::cerr << "nexmark: q13 is left out: there is no side_input.csv in " << asked.data << '\n';
            continue;
        }
        std::optional<std::string> batch, stream;
        std::size_t rows = 0;
        for (bool const as_batch : {true, false}) {
            if (!(as_batch ? asked.batch : asked.stream)) continue;
            auto made = query.run(nexmark::runner{events, asked.how(as_batch), asked.threads});
            rows = made.size();
            (as_batch ? batch : stream) = made.str();
        }
        auto const& shown = batch ? *batch : *stream;
        bool const same = !batch || !stream || *batch == *stream;
        ++(same ? equal : different);
        if (!same) std::cerr << "nexmark: batch and stream differ in " << query.name << '\n';
        if (asked.csv) support::print(shown);
        else support::print(std::string{query.name} + ": " + std::to_string(rows) + " rows\n");
    }
    if (!asked.csv && asked.batch && asked.stream && different == 0) {
        auto const what = asked.query.empty() ? "all " + std::to_string(equal) + " queries" : asked.query;
        support::print("batch = stream: " + what + '\n');
    }
    return different == 0 ? 0 : 1;
}
}  // namespace

int main(int argc, char** argv) {
    return support::framed("nexmark", [&] {
        auto const asked = parse(argc, argv);
        if (asked.help) {
            support::print(std::string{usage});
            return 0;
        }
        return asked.csv_folder.empty() ? answer(asked) : write_csv(asked);
    });
}
