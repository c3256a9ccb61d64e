// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LAMBDA_ORDERS_TWO_PROGRAMS_HPP
#define EXAMPLES_LAMBDA_ORDERS_TWO_PROGRAMS_HPP

#include "orders.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

// The shop as it was built first, by two teams: a nightly batch job, and a stream job for what is newer. Nothing in
// here is wrong by itself. The batch sees all orders, and counts each id once. The stream job cannot wait: what comes
// more than five minutes late is left out, and it has no memory of ids, so that an order that a phone sends again is
// counted again.
namespace shop {

/// Revenue per hour, as of midnight before the last run.
class batch_program {
    std::map<std::int64_t, std::int64_t> cents_;  // by hour
    dl::event_time until_ = dl::event_time::min();

public:
    void run(std::vector<order> const& all, dl::event_time midnight) {
        cents_.clear();
        std::set<std::string> seen;
        for (auto const& each : all) {
            if (each.at < midnight && seen.insert(each.id).second) cents_[hour_of(each.at)] += each.cents;
        }
        until_ = midnight;
    }
    [[nodiscard]] dl::event_time until() const { return until_; }
    [[nodiscard]] std::int64_t cents(std::int64_t hour) const {
        auto const found = cents_.find(hour);
        return found == cents_.end() ? 0 : found->second;
    }
};

/// Revenue per hour, of what has come in.
class speed_program {
    std::map<std::int64_t, std::int64_t> cents_;
    dl::event_time newest_ = dl::event_time::min();

public:
    void on(order const& one) {
        if (newest_ != dl::event_time::min() && one.at < newest_ - 5_min) return;
        if (newest_ < one.at) newest_ = one.at;
        cents_[hour_of(one.at)] += one.cents;
    }
    [[nodiscard]] std::int64_t cents(std::int64_t hour) const {
        auto const found = cents_.find(hour);
        return found == cents_.end() ? 0 : found->second;
    }
};

/// And the query that puts both together: the batch for the days that it has, the stream job for what is newer.
inline std::int64_t asked_of_both(batch_program const& batch, speed_program const& speed, std::int64_t hour) {
    return start_of(hour) < batch.until() ? batch.cents(hour) : speed.cents(hour);
}
}  // namespace shop
#endif
