// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RIDE_SHARING_COMPANY_HPP
#define EXAMPLES_RIDE_SHARING_COMPANY_HPP

#include "trips.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <type_traits>

namespace rides {

inline std::atomic<std::int64_t> city_time{0};
inline dl::event_time city_clock() { return dl::event_time{city_time.load()}; }

/// All that runs, over one folder; one made over the folder of another goes on where that one ended.
class company {
    template <class P, class Log, class Sink>
    using job_of = dl::job<dl::stream, std::remove_const_t<P>, Log&, Sink&>;
    std::string folder_;

public:
    trip_log log{folder_ + "/log", dl::cold_folder{folder_ + "/cold"}, dl::tiering{.hot_age = 30_d},
        dl::file_log_options{
            .durable = dl::every(365_d), .background = false, .segment_age = 2_d, .clock = &city_clock}};
    surge_view surge_now{{.name = "surge", .keep = 1_d, .clock = &city_clock}};
    unpaid_view unpaid_now{{.name = "unpaid", .clock = &city_clock}};
    fare_reports reports{folder_ + "/fares",
        {.rollback_window = 1_d, .snapshots = often, .who = "ride_sharing", .clock = &city_clock}};

private:
    static inline dl::snapshot_options const often{.every = {}, .records = 10'000, .logic_version = "1"};
    job_of<decltype(surge), trip_log, surge_view> surge_job_{
        dl::stream{.snapshots = folder_ + "/surge", .snapshot_options = often}, surge, log, surge_now};
    job_of<decltype(unpaid_trips), trip_log, unpaid_view> unpaid_job_{
        dl::stream{.snapshots = folder_ + "/unpaid", .snapshot_options = often}, unpaid_trips, log, unpaid_now};
    std::atomic<bool> done_{false};
    std::thread reader_;

public:
    /// What a thread saw that reads the fares all the time.
    struct seen {
        std::atomic<std::uint64_t> answers{0}, wrong{0};
    };

    company(std::string folder, seen& readers) : folder_(std::move(folder)) {
        reports.define("prices_1", fares_1, log);
        reports.define("prices_2", fares_2, log);
        reports.start();
        if (reports.view().current() == 0) deploy("prices_1");
        reader_ = std::thread{[this, &readers] { read_into(readers); }};
    }
    company(company const&) = delete;
    company& operator=(company const&) = delete;
    ~company() {
        done_ = true;
        reader_.join();
    }

    void poll() {
        log.sync();  // versions read what is durable
        while (surge_job_.poll() + unpaid_job_.poll() + reports.poll() != 0) {}
    }
    /// Replays, compares, cuts over; the reason if it was not found valid.
    std::string deploy(std::string const& logic) {
        reports.deploy(logic);
        while (reports.phase() == dl::deployment_phase::replaying) reports.poll();
        if (reports.phase() != dl::deployment_phase::ready) return reports.outcome();
        reports.cut_over();
        return {};
    }

private:
    /// No answer is of two price lists: the cents of each row are those of the list that it says it is of.
    void read_into(seen& readers) const {
        while (!done_) {
            auto const session = reports.view().read();
            bool const fee = session.about().logic_version == "prices_2";
            session->snapshot().for_each([&](auto const& row) {
                bool const takes_fee = fee && row.key == "airport" && row.window.start >= fee_from;
                auto const& of = row.value;
                auto const expected = base_fare(of.trips, of.hectometres, of.minutes)
                    + (takes_fee ? of.trips * airport_fee : 0);
                ++readers.answers;
                if (of.cents != expected) ++readers.wrong;
            });
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }
};
}  // namespace rides
#endif
