// SPDX-License-Identifier: BSL-1.0
// expect: join without an interval pairs the records of one window
#include <driftless/op/assign_time.hpp>
#include <driftless/op/cogroup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/session.hpp>

#include <boost/hana/adapt_struct.hpp>

namespace dl = driftless;
using namespace dl::literals;

struct click {
    int user;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(click, user, at);

template <class Name>
constexpr auto clicks(Name name) {
    return dl::from<click>(name) | dl::assign_time<&click::at>(dl::bounded_disorder{5_s}) | dl::key_by<&click::user>();
}

int main() {
    auto a = clicks("a"_name) | dl::window(dl::tumbling{1_h});
    auto b = clicks("b"_name);
    auto pairs = dl::join(a, b);
    static_cast<void>(pairs);
}
