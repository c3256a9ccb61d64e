// SPDX-License-Identifier: BSL-1.0
// expect: align stands where it cannot hold an input back, behind a join
#include <driftless/log/memory_log.hpp>
#include <driftless/op/align.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/batch.hpp>

#include <boost/hana/adapt_struct.hpp>

namespace dl = driftless;
using namespace dl::literals;

struct click {
    int user;
    dl::event_time at;
};
struct order {
    int user;
    long long account;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(click, user, at);
BOOST_HANA_ADAPT_STRUCT(order, user, account, at);

int main() {
    auto clicks = dl::from<click>("clicks"_name) | dl::assign_time<&click::at>(dl::bounded_disorder{5_s})
        | dl::key_by<&click::user>();
    auto orders = dl::from<order>("orders"_name) | dl::assign_time<&order::at>(dl::bounded_disorder{5_s})
        | dl::key_by<&order::user>();
    auto pairs = dl::join(clicks, orders, dl::interval{0_s, 1_h})
        | dl::assign_time([](dl::joined<click, order> const& j) { return j.right.at; }, dl::bounded_disorder{1_h},
            dl::align(1_min));
    dl::memory_log<click> clicked;
    dl::memory_log<order> ordered;
    auto nowhere = dl::to([](auto const&) {});
    dl::run(dl::batch{}, pairs, dl::bind("clicks"_name, clicked), dl::bind("orders"_name, ordered), nowhere);
}
