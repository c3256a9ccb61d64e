// A mistake: the predicate takes another type than the records have. The first diagnostic must say so in few lines.
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <string>
#include <vector>

namespace dl = driftless;

struct order {
    long customer;
    long cents;
};

int main() {
    auto const wrong = dl::from<order>()
        | dl::map([](order const& o) { return o; })
        | dl::filter([](std::string const& name) { return !name.empty(); })
        | dl::aggregate(dl::count());
    std::vector<order> const orders;
    return static_cast<int>(dl::run(dl::batch{}, wrong, orders).size());
}
