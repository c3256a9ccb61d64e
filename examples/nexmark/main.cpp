// SPDX-License-Identifier: BSL-1.0
// examples/nexmark - an auction house: the queries of a public benchmark over who registers, sells and bids, each as a
// stream and as a batch.
// args:
// expect: batch = stream: all 29 queries
#include "answers.hpp"
#include "generator.hpp"

#include "../support/options.hpp"
#include "../support/output.hpp"

#include <driftless/io/csv.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {
namespace dl = driftless;
using support::usage_error;

std::vector<nexmark::query> all_queries() {
    std::vector<nexmark::query> out;
    for (auto const some : {nexmark::selections(), nexmark::totals(), nexmark::bests(), nexmark::joins(), nexmark::winners()}) {
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

struct options {
    std::string query, data, bids, csv_folder;
    bool batch = true, stream = true, restart = false, csv = false, generate = false, help = false;
    int threads = 1;
    std::uint64_t events = 50'000, seed = 1;
};

constexpr std::string_view usage = R"(usage: nexmark [OPTION...]
Answers queries over persons, auctions and bids, as a stream and as a batch, and compares the two.

  --query NAME        only this query: q0 ... q22, q101 ... q106
  --data DIR          read person.csv, auction.csv, bid.csv and, for q13, side_input.csv in this folder (default: made up)
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
    options out;
    std::vector<std::string> const words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const equals = words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
        std::string const name = words[i].substr(0, equals);
        auto const has_value = [&] {
            return equals != std::string::npos || (i + 1 < words.size() && !words[i + 1].starts_with("--"));
        };
        auto const value = [&] {
            if (!has_value()) throw usage_error{name + " needs a value"};
            return equals != std::string::npos ? words[i].substr(equals + 1) : words[++i];
        };
        if (name == "--help" || name == "-h") {
            out.help = true;
        } else if (name == "--query") {
            out.query = value();
            bool known = false;
            std::vector<std::string_view> names;
            for (auto const& each : all_queries()) {
                names.push_back(each.name);
                known = known || each.name == out.query;
            }
            if (!known) throw usage_error{"there is no query '" + out.query + "'; there are: " + support::list(names)};
        } else if (name == "--data") {
            out.data = value();
        } else if (name == "--bids") {
            out.bids = value();
        } else if (name == "--mode") {
            auto const mode = value();
            if (mode != "batch" && mode != "stream") throw usage_error{"--mode is batch or stream, not '" + mode + "'"};
            out.batch = mode == "batch";
            out.stream = mode == "stream";
        } else if (name == "--restart") {
            out.restart = true;
        } else if (name == "--threads") {
            out.threads = support::parse_count<int>(name, value(), 256);
        } else if (name == "--generate") {
            out.generate = true;
            out.events = support::parse_count<std::uint64_t>(name, value(), 1'000'000'000);
        } else if (name == "--seed") {
            out.seed = support::parse_count<std::uint64_t>(name, value(), ~std::uint64_t{0});
        } else if (name == "--csv") {
            if (has_value()) out.csv_folder = value();
            else out.csv = true;
        } else {
            throw usage_error{"there is no option '" + name + "'"};
        }
    }
    if (!out.csv_folder.empty() && !out.generate) {
        throw usage_error{"--csv with a folder writes what --generate makes: name how many events"};
    }
    if (out.csv && out.query.empty() && !out.help) throw usage_error{"--csv prints one query: choose it with --query"};
    if (out.generate && !out.data.empty()) throw usage_error{"--data reads events and --generate makes them: choose one"};
    if (!out.bids.empty() && out.data.empty()) throw usage_error{"--bids needs persons and auctions beside it: name their folder with --data"};
    return out;
}

template <class T>
void read(std::string const& path, dl::memory_log<T>& log) {
    dl::csv_reader<T> rows{dl::csv_input{path}, {.strict = true}};
    for (T row; rows.next(row);) log.append(row);
}

/// A file of rows that appear under their final name when they are all there.
template <class T>
class csv_file {
    std::string path_, part_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::optional<dl::csv_writer> out_;

    [[noreturn]] void fail(std::string const& what) const {
        throw dl::error{dl::error_code::io, what + ": " + std::strerror(errno), path_};
    }

public:
    explicit csv_file(std::string path)
        : path_(std::move(path)), part_(path_ + ".part"), file_(std::fopen(part_.c_str(), "wb"), std::fclose) {
        if (!file_) fail("cannot write");
        out_.emplace(file_.get());
        out_->write_header<T>();
    }
    void append(T const& row) { out_->write(row); }
    void finish() {
        out_->flush();
        out_.reset();
        if (std::fclose(file_.release()) != 0) fail("cannot write");
        std::filesystem::rename(part_, path_);
    }
};

struct csv_files {
    csv_file<nexmark::person> persons;
    csv_file<nexmark::auction> auctions;
    csv_file<nexmark::bid> bids;
    csv_file<nexmark::side_row> side_input;
};
int write_csv(options const& asked) {
    std::filesystem::create_directories(asked.csv_folder);
    auto const path = [&](char const* name) { return asked.csv_folder + '/' + name; };
    csv_files files{csv_file<nexmark::person>{path("person.csv")}, csv_file<nexmark::auction>{path("auction.csv")},
        csv_file<nexmark::bid>{path("bid.csv")}, csv_file<nexmark::side_row>{path("side_input.csv")}};
    nexmark::generator{{.events = asked.events, .seed = asked.seed}}.fill(files);
    files.persons.finish();
    files.auctions.finish();
    files.bids.finish();
    files.side_input.finish();
    return 0;
}

int answer(options const& asked) {
    nexmark::history events;
    if (asked.data.empty()) {
        nexmark::generator{{.events = asked.events, .seed = asked.seed}}.fill(events);
    } else {
        auto const path = [&](char const* name) { return asked.data + '/' + name; };
        read(path("person.csv"), events.persons);
        read(path("auction.csv"), events.auctions);
        read(asked.bids.empty() ? path("bid.csv") : asked.bids, events.bids);
        if (std::filesystem::exists(path("side_input.csv"))) read(path("side_input.csv"), events.side_input);
    }

    auto const streaming = asked.restart ? nexmark::mode::restarted : nexmark::mode::stream;
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
            auto made = query.run(nexmark::runner{events, as_batch ? nexmark::mode::batch : streaming, asked.threads});
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
        support::print("batch = stream: " + (asked.query.empty() ? "all " + std::to_string(equal) + " queries" : asked.query) + '\n');
    }
    return different == 0 ? 0 : 1;
}
}  // namespace

int main(int argc, char** argv) {
    try {
        auto const asked = parse(argc, argv);
        if (asked.help) {
            support::print(std::string{usage});
            return 0;
        }
        return asked.csv_folder.empty() ? answer(asked) : write_csv(asked);
    } catch (usage_error const& problem) {
        std::cerr << "nexmark: " << problem.what() << "; see --help\n";
        return 2;
    } catch (std::exception const& problem) {
        std::cerr << "nexmark: " << problem.what() << '\n';
        return 1;
    }
}
