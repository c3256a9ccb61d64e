// SPDX-License-Identifier: BSL-1.0
// bench/peers/windows.cpp - one side of bench/peers: count and sum per user in tumbling windows of a minute.
//
//     windows RECORDS USERS FOLDER
//
// makes sales up, keeps them in memory and writes them to FOLDER as a log (log/) and as CSV (sales.csv). Then it says
// `ready`, and answers lines of standard input: `memory`, `files` or `csv`, where the sales are to come from, with the
// CPU seconds that it took and what the rows come to (answer_of in contest.py).
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using bench::sale;

namespace {
constexpr auto window_size = 1_min;
constexpr auto disorder = 5_s;
constexpr std::int64_t windows = 10;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{window_size})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

/// The same as in contest.py, whatever the order of the rows.
struct answer {
    std::int64_t rows = 0, records = 0, cents = 0, mixed = 0;

    void row(std::int64_t user, std::int64_t window, std::int64_t count, std::int64_t sum) {
        constexpr std::int64_t prime = 65'521;
        ++rows;
        records += count;
        cents += sum;
        mixed += user % prime * (sum % prime) + window % prime * (count + user % prime);
    }
};
auto into(answer& out) {
    return dl::to([&out](auto const& pane) {
        auto const& [count, sum] = pane.value;
        out.row(pane.key, pane.window.start.ns() / window_size.ns(), count, sum);
    });
}

std::vector<sale> make_sales(std::size_t count, std::uint64_t users) {
    bench::random draw{users};
    auto const start = dl::event_time::from_ms(1'436'918'400'000) + disorder;  // 2015-07-15
    auto const step = windows * window_size.ns() / static_cast<std::int64_t>(count);
    std::vector<sale> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto const behind = static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(disorder.ns())));
        auto const at = start + dl::duration{static_cast<std::int64_t>(i) * step - behind};
        auto const user = static_cast<std::int64_t>(draw.below(users));
        auto const cents = static_cast<std::int64_t>(draw.below(100'000));
        out.push_back({user, cents, dl::event_time::from_ms(at.ms())});
    }
    return out;
}

dl::file_log_options options(dl::log_access access) {
    dl::file_log_options out;
    out.access = access;
    out.background = false;
    out.durable = dl::on_close;
    return out;
}
void write_csv(std::string const& path, std::vector<sale> const& sales) {
    auto* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) {
        std::perror(path.c_str());
        std::exit(1);
    }
    {
        dl::csv_writer out{file};
        out.write_header<sale>();
        for (auto const& each : sales) out.write(each);
        out.flush();
    }
    std::fclose(file);
}

/// An iterator over the rows of a file that reads as it goes, up to a number of rows.
class rows_of_csv {
    struct reading {
        dl::csv_reader<sale> rows;
        sale row{};
        bool more;
        explicit reading(std::string const& path) : rows{path, {.strict = true}}, more(rows.next(row)) {}
    };
    std::shared_ptr<reading> in_;
    std::size_t at_ = 0;

public:
    explicit rows_of_csv(std::string const& path) : in_(std::make_shared<reading>(path)) {}
    [[nodiscard]] bool more() const { return in_->more; }
    [[nodiscard]] rows_of_csv behind(std::size_t count) const {
        auto out = *this;
        out.at_ += count;
        return out;
    }
    sale const& operator*() const { return in_->row; }
    rows_of_csv& operator++() {
        in_->more = in_->rows.next(in_->row);
        ++at_;
        return *this;
    }
    friend bool operator!=(rows_of_csv const& a, rows_of_csv const& end) { return a.in_->more && a.at_ != end.at_; }
};

class contestant {
    dl::memory_log<sale, dl::columns> memory_;
    std::string log_, csv_;

public:
    contestant(std::vector<sale> const& sales, std::string const& folder)
        : log_(folder + "/log"), csv_(folder + "/sales.csv") {
        memory_.append(sales);
        dl::file_log<sale, dl::columns> files{log_, options(dl::log_access::append)};
        files.append(sales);
        files.close();
        write_csv(csv_, sales);
    }
    answer from_memory() const {
        answer out;
        dl::run(dl::batch{}, per_user, memory_, into(out));
        return out;
    }
    answer from_files() const {
        answer out;
        dl::file_log<sale, dl::columns> const log{log_, options(dl::log_access::read)};
        dl::run(dl::batch{}, per_user, log, into(out));
        return out;
    }
    /// What has been read is aggregated before more is: rows go from the reader into a log that is as large as a cache.
    answer from_csv() const {
        answer out;
        auto sink = into(out);
        dl::memory_log<sale> some;
        dl::job job{dl::stream{}, per_user, some, sink};
        for (rows_of_csv rows{csv_}; rows.more();) {
            some.append(rows, rows.behind(4096), 0);
            while (job.poll() != 0) {}
            some.trim(0, some.end_offset());
        }
        job.drain();
        return out;
    }
};
}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: windows RECORDS USERS FOLDER\n";
        return 2;
    }
    contestant const us{make_sales(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10)), argv[3]};
    std::cout << "ready" << std::endl;
    for (std::string from; std::getline(std::cin, from);) {
        auto const before = bench::cpu_seconds();
        auto const out = from == "memory" ? us.from_memory() : from == "files" ? us.from_files()
                                                                               : us.from_csv();
        auto const seconds = bench::cpu_seconds() - before;
        std::cout << seconds << ' ' << out.rows << ' ' << out.records << ' ' << out.cents << ' ' << out.mixed
                  << std::endl;
    }
}
