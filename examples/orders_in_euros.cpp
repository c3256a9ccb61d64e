// SPDX-License-Identifier: BSL-1.0
// examples/orders_in_euros.cpp - each order in euros, by the rate that a slow service knows: four calls at a time, each
// made again if it fails, and the answers kept, so that a replay does not ask again and says the same.
// expect: EUR 12.00, USD 18.40, GBP 35.10, USD 9.20, no rate for XXX
// expect: calls: 4 that answered, 2 that did not
// expect: replayed: the same, after 0 calls
#include <driftless/driftless.hpp>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text currency;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, currency, cents, at);

/// Stands for a service far away. It is called from several threads.
struct rate_service {
    std::map<std::string, std::int64_t, std::less<>> per_mille{{"EUR", 1000}, {"USD", 920}, {"GBP", 1170}};
    std::atomic<int> answered{0};
    std::atomic<int> failed{0};

    std::int64_t rate_of(dl::text currency) {
        auto const found = per_mille.find(std::string_view{currency});
        if (found == per_mille.end()) {
            ++failed;
            throw std::runtime_error{"no rate for " + std::string{currency}};
        }
        ++answered;
        return found->second;
    }
};

int main() {
    rate_service service;
    auto const rate = [&](order const& o) { return service.rate_of(o.currency); };
    auto const in_euros = [](order const& o, std::int64_t per_mille) {
        return order{o.currency, o.cents * per_mille / 1000, o.at};
    };
    auto const p = dl::from<order>() | dl::assign_time<&order::at>(dl::bounded_disorder{5_s})
        | dl::enrich(rate, dl::concurrency{4}, dl::retries{1, 1_ms}, dl::call_timeout{10_s}, in_euros);

    dl::memory_log<order> log;
    std::int64_t seconds = 0;
    for (auto const& [currency, cents] :
        {std::pair{"EUR", 1200}, {"USD", 2000}, {"GBP", 3000}, {"USD", 1000}, {"XXX", 1}}) {
        log.append({currency, cents, dl::event_time{} + 1_s * ++seconds});
    }

    dl::memory_log<dl::answer_entry> answers;
    auto const orders = [&] {
        std::string out;
        auto const print = [](std::int64_t cents) {
            auto const rest = std::to_string(cents % 100);
            return std::to_string(cents / 100) + '.' + (rest.size() < 2 ? "0" : "") + rest;
        };
        auto sink = dl::to([&](order const& o) { out += std::string{o.currency} + ' ' + print(o.cents) + ", "; });
        auto unanswered = [&](dl::dead_letter const& each) { out += each.why; };
        dl::run(
            dl::stream{
                .on_error = dl::on_error::dead_letter(unanswered),
                .until = dl::drained,
                .answers = dl::answers_in(answers),
            },
            p, log, sink);
        return out;
    };

    auto const first = orders();
    std::cout << first << '\n';
    std::cout << "calls: " << service.answered << " that answered, " << service.failed << " that did not\n";
    auto const before = service.answered + service.failed;
    auto const again = orders();
    std::cout << "replayed: " << (again == first ? "the same" : again) << ", after "
              << service.answered + service.failed - before << " calls\n";
}
