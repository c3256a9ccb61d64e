// expect: an encrypted value is read with the keys of its subjects: keys.open(field, subject)
#include <driftless/codec/encrypted.hpp>

#include <cstdint>
#include <string>

int main() {
    driftless::encrypted<std::uint64_t, std::string> const email{};
    return email.value().empty() ? 0 : 1;
}
