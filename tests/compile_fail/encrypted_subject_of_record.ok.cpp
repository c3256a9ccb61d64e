#include <boost/hana/adapt_struct.hpp>

#include <driftless/codec/subject_keys.hpp>

#include <cstdint>
#include <string>

struct order {
    std::uint64_t customer = 0;
    std::uint64_t number = 0;
    driftless::encrypted<std::uint64_t, std::string> email;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, number, email);

bool is_erased(order const& of, driftless::subject_keys const& keys) {
    return keys.open(of.email, of.customer).is_erased();
}
int main() {}
