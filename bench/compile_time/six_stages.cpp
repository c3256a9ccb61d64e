// The usual program: six stages over a std::vector, one thread.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <cstdint>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

struct order {
    std::int64_t customer;
    std::int64_t cents;
    dl::event_time at;
};

inline constexpr auto spent = dl::from<order>()
    | dl::assign_time<&order::at>()
    | dl::filter([](order const& o) { return o.cents > 0; })
    | dl::map([](order const& o) { return order{o.customer, o.cents - o.cents / 50, o.at}; })
    | dl::key_by<&order::customer>()
    | dl::window(dl::tumbling{1_min})
    | dl::aggregate(dl::count(), dl::sum<&order::cents>());

int main() {
    std::vector<order> const orders{{1, 1250, dl::event_time::from_ms(1000)}, {1, -50, dl::event_time::from_ms(2000)}};
    return dl::run(dl::batch{}, spent, orders).size() == 1 ? 0 : 1;
}
