// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_ACCESS_LOG_ACCESS_LOG_HPP
#define EXAMPLES_ACCESS_LOG_ACCESS_LOG_HPP

#include "../support/runner.hpp"
#include "../support/table.hpp"

#include <driftless/driftless.hpp>

#include <cstdint>
#include <string>

namespace access_log {
namespace dl = driftless;
using namespace driftless::literals;

/// What a web server wrote about one request.
struct request {
    std::int64_t seq = 0;
    dl::event_time ts;
    dl::text client_ip;
    dl::text method;
    dl::text path;
    std::int32_t status = 0;
    std::int64_t bytes = 0;
};

/// A request that was not found, and one of the same client that was, within a minute after it.
struct retry {
    std::int64_t seq_404, seq_200;
};
}  // namespace access_log

BOOST_HANA_ADAPT_STRUCT(access_log::request, seq, ts, client_ip, method, path, status, bytes);
BOOST_HANA_ADAPT_STRUCT(access_log::retry, seq_404, seq_200);

namespace access_log {
struct hour_totals {
    std::int64_t hits, bytes, distinct_clients, status_4xx, status_5xx;
};

struct visit_totals {
    std::int64_t hits, bytes, distinct_paths;
};
struct totals_so_far {
    std::int64_t hits, bytes, errors;
    dl::event_time newest;
};

template <int Class>
inline constexpr auto has_status = [](request const& r) { return r.status / 100 == Class ? 1 : 0; };

// --- the pipelines: written once, run as batch and as stream ---------------------------------------------------

inline constexpr auto tumble_1h =
    dl::from<request>()
    | dl::assign_time<&request::ts>(dl::bounded_disorder{5_min})
    | dl::window(dl::tumbling{1_h})
    | dl::aggregate<hour_totals>(dl::count(), dl::sum<&request::bytes>(), dl::distinct<&request::client_ip>(),
        dl::sum(has_status<4>), dl::sum(has_status<5>));

/// Hits per ten seconds under a bound that the log does not keep. Which requests are refused is part of the answer
/// here, so the declared watermark counts in batch as well.
constexpr auto late_tumble_10s(dl::duration bound) {
    return dl::from<request>()
        | dl::assign_time<&request::ts>(dl::bounded_disorder{bound}, dl::as_declared)
        | dl::window(dl::tumbling{10_s})
        | dl::late_to("late"_name)
        | dl::aggregate(dl::count());
}

/// Hits per quarter of an hour, every five minutes, and class of the answer.
inline constexpr auto hop_15m_5m_by_status_class =
    dl::from<request>()
    | dl::assign_time<&request::ts>(dl::bounded_disorder{60_s})
    | dl::key_by([](request const& r) { return r.status / 100; })
    | dl::window(dl::sliding{15_min, 5_min})
    | dl::aggregate(dl::count());

/// Visits: requests of one client less than half an hour apart.
inline constexpr auto sessions_30m =
    dl::from<request>()
    | dl::assign_time<&request::ts>(dl::bounded_disorder{60_s})
    | dl::key_by<&request::client_ip>()
    | dl::window(dl::session{30_min})
    | dl::aggregate<visit_totals>(dl::count(), dl::sum<&request::bytes>(), dl::distinct<&request::path>());

/// All requests so far, every 500 of them.
inline constexpr auto count_trigger_500 =
    dl::from<request>()
    | dl::assign_time<&request::ts>(dl::bounded_disorder{60_s})
    | dl::window(dl::global{}, dl::every(500), dl::on_time_if_new{})
    | dl::aggregate<totals_so_far>(dl::count(), dl::sum<&request::bytes>(),
        dl::sum([](request const& r) { return r.status >= 400 ? 1 : 0; }), dl::max<&request::ts>());

/// The pages that are asked for most, per day.
inline constexpr auto top10_paths_per_day =
    dl::from<request>()
    | dl::assign_time<&request::ts>(dl::bounded_disorder{60_s})
    | dl::key_by<&request::path>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate(dl::count())
    | dl::top(10, dl::with_row_number{});

/// Requests with this answer, by client.
template <int Status>
constexpr auto answered() {
    return dl::from<request>("requests"_name)
        | dl::assign_time<&request::ts>(dl::bounded_disorder{60_s})
        | dl::filter([](request const& r) noexcept { return r.status == Status; })
        | dl::key_by<&request::client_ip>();
}
/// Each 404 with every 200 of the client in the minute after it.
inline constexpr auto interval_join_404_then_200_60s =
    dl::join(answered<404>(), answered<200>(), dl::interval{0_s, 60_s},
        [](request const& missed, request const& found) noexcept { return retry{missed.seq, found.seq}; });

/// What a client asks for the first time, in the order of arrival.
inline constexpr auto dedup_first_arrival =
    dl::from<request>()
    | dl::dedup<&request::client_ip, &request::method, &request::path>(dl::unbounded_state{})
    | dl::map([](request const& r) { return r.seq; });

// --- the tables made of them: tables.cpp ------------------------------------------------------------------------

using request_log = dl::file_log<request, dl::columns>;
using hour_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using class_table = support::table<std::int64_t, std::int32_t, std::int64_t>;
using visit_table = support::table<std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using path_table = support::table<std::string, std::int64_t, std::string, std::int64_t>;
using arrivals_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using retry_table = support::table<std::int64_t, std::int64_t>;
using seq_table = support::table<std::int64_t>;
using late_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using late_summary_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

hour_table make_tumble_1h(support::runner<request_log> const& run);
class_table make_hop_15m_5m_by_status_class(support::runner<request_log> const& run);
visit_table make_sessions_30m(support::runner<request_log> const& run);
path_table make_top10_paths_per_day(support::runner<request_log> const& run);
arrivals_table make_count_trigger_500(support::runner<request_log> const& run);
retry_table make_interval_join_404_then_200_60s(support::runner<request_log> const& run);
seq_table make_dedup_first_arrival(support::runner<request_log> const& run);
late_table make_late_tumble_10s(support::runner<request_log> const& run);
late_summary_table make_late_tumble_10s_summary(support::runner<request_log> const& run);
}  // namespace access_log

BOOST_HANA_ADAPT_STRUCT(access_log::visit_totals, hits, bytes, distinct_paths);
BOOST_HANA_ADAPT_STRUCT(access_log::hour_totals, hits, bytes, distinct_clients, status_4xx, status_5xx);
#endif
