// SPDX-License-Identifier: BSL-1.0
// examples/access_log - traffic per hour from a web log that is out of order, and what a watermark that is too eager
// would refuse of it; as a stream while the log is written, then in batch.
// args:
// expect: tumble_1h
// expect: late_tumble_10s_summary
// expect: batch = stream, 467964 rows
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result tumble_1h --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/tumble_1h.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result hop_15m_5m_by_status_class --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/hop_15m_5m_by_status_class.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result sessions_30m --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/sessions_30m.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result top10_paths_per_day --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/top10_paths_per_day.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result count_trigger_500 --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/count_trigger_500.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result late_tumble_10s --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/late_tumble_10s.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result late_tumble_10s_summary --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/late_tumble_10s_summary.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result interval_join_404_then_200_60s --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/interval_join_404_then_200_60s.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result interval_join_404_then_200_60s --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/interval_join_404_then_200_60s.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result dedup_first_arrival --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/dedup_first_arrival.csv
// args: --input "$DRIFTLESS_DATA_DIR/access_log/events.csv" --result dedup_first_arrival --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/access_log/expected/dedup_first_arrival.csv
#include "access_log.hpp"

#include "../support/append_csv.hpp"
#include "../support/kept_log.hpp"
#include "../support/options.hpp"
#include "../support/program.hpp"
#include "../support/random.hpp"
#include "../support/two_modes.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace {
namespace dl = driftless;
using namespace driftless::literals;
using access_log::request;
using access_log::request_log;

/// What a file may leave out: most tables do without.
dl::csv_defaults<request> const often_missing{dl::csv_default{&request::bytes, 0}, dl::csv_default{&request::seq, 0},
    dl::csv_default{&request::method, ""}};

/// Made-up traffic of one request per ten milliseconds; like the real one, it is in no order within each minute.
void append_generated(std::uint64_t count, request_log& log) {
    constexpr std::array<std::int32_t, 8> statuses = {200, 200, 200, 200, 304, 301, 404, 500};
    auto const start = dl::event_time::from_ms(1'431'856'800'000);  // 2015-05-17, 10 o'clock
    support::random random{2015};
    dl::progress bar{"making requests", count, "requests"};
    for (std::uint64_t i = 0; i < count; ++i) {
        auto const minute = static_cast<std::int64_t>(i / 6000);
        std::string const client = "10.0.0." + std::to_string(random.below(250));
        std::string const path = "/page/" + std::to_string(random.below(40));
        log.append(request{.seq = static_cast<std::int64_t>(i),
            .ts = start + minute * 1_min + random.below(60) * 1_s,
            .client_ip = client,
            .method = "GET",
            .path = path,
            .status = statuses[random.below(statuses.size())],
            .bytes = random.below(50'000)});
        bar.update(i + 1);
    }
}
}  // namespace

int main(int argc, char** argv) {
    return support::program("access_log",
        {"tumble_1h", "hop_15m_5m_by_status_class", "sessions_30m", "top10_paths_per_day", "count_trigger_500",
            "late_tumble_10s", "late_tumble_10s_summary", "interval_join_404_then_200_60s", "dedup_first_arrival"},
        argc, argv,
        [](support::options const& asked) {
            support::kept_log<request_log> kept{asked};
            auto& log = kept.log();
            bool const is_full = kept.has_records();
            auto const fill = [&] {
                if (is_full) return;
                if (asked.input.empty()) append_generated(asked.records, log);
                else support::append_csv<request>(asked, {.defaults = often_missing}, log);
            };
            return support::in_two_modes(asked, log, fill, support::result{"tumble_1h", access_log::make_tumble_1h},
                support::result{"hop_15m_5m_by_status_class", access_log::make_hop_15m_5m_by_status_class},
                support::result{"sessions_30m", access_log::make_sessions_30m},
                support::result{"top10_paths_per_day", access_log::make_top10_paths_per_day},
                support::result{"count_trigger_500", access_log::make_count_trigger_500},
                support::result{"late_tumble_10s", access_log::make_late_tumble_10s},
                support::result{"late_tumble_10s_summary", access_log::make_late_tumble_10s_summary},
                support::result{"interval_join_404_then_200_60s", access_log::make_interval_join_404_then_200_60s},
                support::result{"dedup_first_arrival", access_log::make_dedup_first_arrival});
        });
}
