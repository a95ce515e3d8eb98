package dev.rasher;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The tests of a plan or of a shard, in the order of its document, each with the class or file that holds it. */
public final class Inventory {
    private final List<String> tests = new ArrayList<>();
    private final List<String> groups = new ArrayList<>();

    private Inventory() {}

    /**
     * Reads what {@code rasher plan --json} or {@code rasher shard --format json} writes; linear in its length.
     *
     * @param document the JSON text
     * @return its tests
     * @throws IllegalArgumentException where it is no such document
     */
    public static Inventory read(String document) {
        Map<String, Object> root = Json.object(Json.parse(document));
        Inventory inventory = new Inventory();
        if (root.containsKey("shards")) {
            Json.list(root.get("shards")).forEach(shard -> inventory.add(Json.object(shard)));
        } else {
            inventory.add(root);
        }
        return inventory;
    }

    private void add(Map<String, Object> shard) {
        for (Object test : Json.list(shard.get("tests"))) {
            tests.add((String) test);
        }
        for (Object entry : Json.list(shard.get("groups"))) {
            Map<String, Object> group = Json.object(entry);
            for (long more = (long) Json.number(group.get("tests")); more > 0; more--) {
                groups.add((String) group.get("group"));
            }
        }
        while (groups.size() < tests.size()) {
            groups.add(null);
        }
    }

    /**
     * How many tests there are.
     *
     * @return zero or more
     */
    public int size() {
        return tests.size();
    }

    /**
     * A test.
     *
     * @param index its place, from 0
     * @return its id
     */
    public String test(int index) {
        return tests.get(index);
    }

    /**
     * What holds a test.
     *
     * @param index its place, from 0
     * @return the class or file, with the module in front where two modules have one of that name; null where it has none
     */
    public String group(int index) {
        return groups.get(index);
    }
}
