// SPDX-License-Identifier: BSL-1.0
// examples/tpch - customers, orders and lines: the queries of a public benchmark, as batch and as results that are kept
// up to date while the rows of all tables come in any order, some of them wrong at first.
// args:
// expect: batch = stream = plain loops: all 9 queries, in order and shuffled with deletes
#include "answers.hpp"
#include "generator.hpp"

#include "../support/csv_file.hpp"
#include "../support/output.hpp"
#include "../support/program.hpp"
#include "../support/query_options.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {
namespace dl = driftless;

std::vector<tpch::query> all_queries() {
    std::vector<tpch::query> out;
    for (auto const some : {tpch::totals(), tpch::joins()}) out.insert(out.end(), some.begin(), some.end());
    std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) {
        return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
    });
    return out;
}
std::vector<std::string_view> all_names() {
    std::vector<std::string_view> out;
    for (auto const& each : all_queries()) out.push_back(each.name);
    return out;
}

struct options : support::query_options {
    std::optional<std::uint64_t> shuffle;
};

constexpr std::string_view usage = R"(usage: tpch [OPTION...]
Answers queries over customers, orders and lines as batch and as stream, with the rows in order and shuffled with
deletes, and compares the answers with those of plain loops.

  --query NAME        only this query: q1, q3, q4, q5, q6, q10, q12, q13, q14
  --data DIR          read region.csv, nation.csv, ... lineitem.csv in this folder (default: made up)
  --mode MODE         batch or stream (default: both)
  --restart           stop the stream halfway, and go on from its snapshot
  --threads N         shards of keyed state (default: 1)
  --shuffle SEED      only shuffled: rows of all tables come in an order that the seed says; half of them are wrong
                      first, or deleted and inserted again, or beside one that is deleted
  --csv               the rows as CSV on standard output, nothing else there; needs --query. Rows come in order then,
                      and as batch, unless --shuffle and --mode say otherwise
  --generate N        make up N orders and what belongs to them (default: 1500)
  --seed S            others with each seed (default: 1)
  --csv DIR           with --generate: write them to CSV files in this folder, and answer nothing
  --help              this text

Exit status: 0, 1 if the input is no good or the answers differ, 2 if the command line is no good.
)";

options parse(int argc, char** argv) {
    std::optional<std::uint64_t> shuffle;
    options out{support::parse(all_names(), "orders", 1500, argc, argv,
                    [&](std::string_view name, auto const& value) {
                        if (name != "--shuffle") return false;
                        shuffle = support::parse_count<std::uint64_t>(name, value(), ~std::uint64_t{0});
                        return true;
                    }),
        {}};
    out.shuffle = shuffle;
    return out;
}

struct csv_files {
    support::csv_file<tpch::region> regions;
    support::csv_file<tpch::nation> nations;
    support::csv_file<tpch::supplier> suppliers;
    support::csv_file<tpch::customer> customers;
    support::csv_file<tpch::part> parts;
    support::csv_file<tpch::partsupp> partsupps;
    support::csv_file<tpch::order> orders;
    support::csv_file<tpch::lineitem> lineitems;

    explicit csv_files(std::string const& folder)
        : regions(folder + "/region.csv"),
          nations(folder + "/nation.csv"),
          suppliers(folder + "/supplier.csv"),
          customers(folder + "/customer.csv"),
          parts(folder + "/part.csv"),
          partsupps(folder + "/partsupp.csv"),
          orders(folder + "/orders.csv"),
          lineitems(folder + "/lineitem.csv") {}
    void finish() {
        regions.finish();
        nations.finish();
        suppliers.finish();
        customers.finish();
        parts.finish();
        partsupps.finish();
        orders.finish();
        lineitems.finish();
    }
};
int write_csv(options const& asked) {
    std::filesystem::create_directories(asked.csv_folder);
    csv_files files{asked.csv_folder};
    tpch::generator{{.orders = asked.count, .seed = asked.seed}}.fill(files);
    files.finish();
    return 0;
}

template <class Row>
void read(std::string const& path, tpch::rows<Row>& to) {
    try {
        support::read_csv<Row>(path, to);
    } catch (tpch::doubled const& problem) {
        throw dl::error{dl::error_code::malformed, problem.what(), path};
    }
}
void load(options const& asked, tpch::database& to) {
    if (asked.data.empty()) {
        tpch::generator{{.orders = asked.count, .seed = asked.seed}}.fill(to);
        return;
    }
    read(asked.data + "/region.csv", to.regions);
    read(asked.data + "/nation.csv", to.nations);
    read(asked.data + "/supplier.csv", to.suppliers);
    read(asked.data + "/customer.csv", to.customers);
    read(asked.data + "/part.csv", to.parts);  // no query looks at partsupp.csv
    read(asked.data + "/orders.csv", to.orders);
    read(asked.data + "/lineitem.csv", to.lineitems);
}

/// The rows of one query as CSV.
int print(tpch::query const& query, options const& asked, tpch::database const& data) {
    tpch::history history;
    tpch::arrive(data, asked.shuffle, history);
    support::print(query.run(tpch::runner{history, asked.how(asked.batch), asked.threads}).str());
    return 0;
}

int compare(std::vector<tpch::query> const& queries, options const& asked, tpch::database const& data) {
    tpch::history in_order, shuffled;
    if (!asked.shuffle) tpch::arrive(data, std::nullopt, in_order);
    tpch::arrive(data, asked.shuffle.value_or(1), shuffled);
    std::size_t different = 0;
    for (auto const& query : queries) {
        auto loops = query.by_loops(data);
        auto const expected = loops.str();
        for (bool const as_batch : {true, false}) {
            if (!(as_batch ? asked.batch : asked.stream)) continue;
            for (auto const* history : {&in_order, &shuffled}) {
                if (history == &in_order && asked.shuffle) continue;
                if (query.run(tpch::runner{*history, asked.how(as_batch), asked.threads}).str() == expected) continue;
                ++different;
                std::cerr << "tpch: " << query.name << (as_batch ? " as batch, " : " as stream, ")
                          << (history == &in_order ? "in order" : "shuffled") << ": other rows than by plain loops\n";
            }
        }
        support::print(std::string{query.name} + ": " + std::to_string(loops.size())
            + (loops.size() == 1 ? " row\n" : " rows\n"));
    }
    if (different > 0) return 1;
    support::print((asked.batch ? "batch = " : "") + std::string{asked.stream ? "stream = " : ""} + "plain loops: "
        + (asked.query.empty() ? "all " + std::to_string(queries.size()) + " queries" : asked.query)
        + (asked.shuffle ? ", shuffled with deletes\n" : ", in order and shuffled with deletes\n"));
    return 0;
}

int answer(options const& asked) {
    tpch::database data;
    load(asked, data);
    auto queries = all_queries();
    std::erase_if(queries, [&](auto const& each) { return !asked.query.empty() && each.name != asked.query; });
    return asked.csv ? print(queries.front(), asked, data) : compare(queries, asked, data);
}
}  // namespace

int main(int argc, char** argv) {
    return support::framed("tpch", [&] {
        auto const asked = parse(argc, argv);
        if (asked.help) {
            support::print(std::string{usage});
            return 0;
        }
        return asked.csv_folder.empty() ? answer(asked) : write_csv(asked);
    });
}
