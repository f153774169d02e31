#include "plugin_host/message_ring.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.hpp"
#include "plugin_host/op_table.hpp"

namespace jackfield::plugin_host {
namespace {

Message numbered(std::uint64_t n) {
    Message message;
    message.op = n;
    return message;
}

std::vector<std::byte> bytes(std::size_t size, std::uint64_t seed) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(seed * 31 + i);
    return out;
}

TEST(MessageRing, HasRoomForItsLargestMessageWheneverItIsEmpty) {
    MessageRing ring(4096);
    std::vector<std::byte> data;
    const auto largest = bytes(4096 / 2 - sizeof(Message), 1);

    // Messages of half a ring and a bit less: one that went on from where the last one ended would find no room in one piece.
    for (std::uint64_t n = 0; n < 50; ++n) {
        ASSERT_TRUE(ring.push(numbered(n), bytes(1000 + n * 8, n)));
        ring.pop(data);
        ASSERT_TRUE(ring.push(numbered(n), largest));
        ASSERT_TRUE(ring.push(numbered(n), largest)) << "the ring did not go back to its start";
        ring.pop(data);
        ring.pop(data);
        EXPECT_EQ(data, largest);
        EXPECT_TRUE(ring.empty());
    }
}

TEST(MessageRing, KeepsOrderAndBytesOverManyTurns) {
    MessageRing ring(4096);
    base::SeededRandom random(7);
    std::deque<std::vector<std::byte>> in_ring;
    std::uint64_t pushed = 0, popped = 0, refused = 0;
    std::vector<std::byte> data;

    for (int step = 0; step < 20000; ++step) {
        if (random.next() % 2) {
            const auto out = bytes(random.next() % 700, pushed);
            if (ring.push(numbered(pushed), out)) {
                in_ring.push_back(out);
                ++pushed;
            } else {
                ++refused;
            }
        } else if (!ring.empty()) {
            const Message message = ring.pop(data);
            ASSERT_EQ(message.op, popped++);
            ASSERT_EQ(data, in_ring.front());
            in_ring.pop_front();
        }
        ASSERT_EQ(ring.empty(), in_ring.empty());
    }

    EXPECT_GT(pushed, 5000u);
    EXPECT_GT(refused, 100u);
}

TEST(MessageRing, FillsToTheLastByteAndRefusesOneMore) {
    MessageRing ring(sizeof(Message) * 8);

    for (std::uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(ring.push(numbered(i), {}));
    EXPECT_FALSE(ring.push(numbered(8), {}));

    std::vector<std::byte> data;
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(ring.pop(data).op, i);
    EXPECT_TRUE(ring.empty());
}

TEST(MessageRing, RefusesWhatIsLongerThanHalfOfIt) {
    MessageRing ring(1024);

    EXPECT_FALSE(ring.push(numbered(1), bytes(1024, 1)));
    EXPECT_FALSE(ring.push(numbered(1), bytes(513, 1)));
    EXPECT_TRUE(ring.push(numbered(1), bytes(512 - sizeof(Message), 1)));
}

TEST(MessageRing, KeepsToItsBytesWhenTheCapacityIsOdd) {
    MessageRing ring(sizeof(Message) * 2 + 5);

    EXPECT_TRUE(ring.push(numbered(1), {}));
    EXPECT_TRUE(ring.push(numbered(2), {}));
    EXPECT_FALSE(ring.push(numbered(3), {}));
}

TEST(MessageRing, GoesBackToAMarkAlsoOverItsEnd) {
    MessageRing ring(sizeof(Message) * 8);
    std::vector<std::byte> data;
    for (std::uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(ring.push(numbered(i), {}));
    for (std::uint64_t i = 0; i < 5; ++i) ring.pop(data);

    const MessageRing::Mark mark = ring.mark();
    ASSERT_TRUE(ring.push(numbered(100), bytes(8, 1)));
    ASSERT_TRUE(ring.push(numbered(101), bytes(8, 1)));
    ring.back_to(mark);
    ASSERT_TRUE(ring.push(numbered(6), {}));

    EXPECT_EQ(ring.pop(data).op, 5u);
    EXPECT_EQ(ring.pop(data).op, 6u);
    EXPECT_TRUE(ring.empty());
}

TEST(Mailbox, TakesCompletionsWhenFullAndKeepsTheOrder) {
    Mailbox mailbox(sizeof(Message) * 4);
    for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(mailbox.push(numbered(i), {}));

    EXPECT_FALSE(mailbox.push(numbered(99), {}));
    mailbox.push_always(numbered(4), bytes(5000, 4));
    mailbox.push_always(numbered(5), {});
    Message message;
    std::vector<std::byte> data;
    ASSERT_TRUE(mailbox.pop(message, data));
    EXPECT_FALSE(mailbox.push(numbered(99), {})) << "there is room in the ring, but it would overtake";

    for (std::uint64_t i = 1; i < 6; ++i) {
        ASSERT_TRUE(mailbox.pop(message, data));
        EXPECT_EQ(message.op, i);
        EXPECT_EQ(data, i == 4 ? bytes(5000, 4) : bytes(0, 0));
    }
    EXPECT_FALSE(mailbox.pop(message, data));
    EXPECT_TRUE(mailbox.empty());
    EXPECT_TRUE(mailbox.push(numbered(6), {}));
}

TEST(Mailbox, TakesSeveralOrNone) {
    Mailbox mailbox(sizeof(Message) * 4);
    const std::pair<Message, std::vector<std::byte>> three[] = {{numbered(1), {}}, {numbered(2), {}}, {numbered(3), {}}};

    EXPECT_TRUE(mailbox.push(three));
    EXPECT_FALSE(mailbox.push(three));

    Message message;
    std::vector<std::byte> data;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(mailbox.pop(message, data));
        EXPECT_EQ(message.op, i);
    }
    EXPECT_TRUE(mailbox.empty());
}

}  // namespace
}  // namespace jackfield::plugin_host
