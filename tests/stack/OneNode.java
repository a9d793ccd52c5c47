import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

/**
 * Runs one OpenSearch node in the foreground: HOME DATA PORT.
 *
 * <p>Not bin/opensearch, which refuses to run as root and writes into its home; here the home is only read, so that many
 * nodes can share it, and everything of this node is below DATA.
 */
public final class OneNode {
    private static final String NAME = "one";

    public static void main(String[] arguments) throws Exception {
        Path data = Path.of(arguments[1]);
        Settings settings = Settings.builder()
                .put("path.home", arguments[0])
                .put("path.data", data.resolve("data").toString())
                .put("path.logs", data.resolve("logs").toString())
                .put("cluster.name", "mlvitals-tests")
                .put("discovery.type", "single-node")
                .put("network.host", "127.0.0.1")
                .put("http.port", arguments[2])
                .put("transport.port", "0")
                .put("action.auto_create_index", true)
                // A test machine's disk may be nearly full; the node must take documents all the same.
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .build();
        Path config = Files.createDirectories(data.resolve("config"));
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> NAME);
        Node node = new Node(environment);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        new CountDownLatch(1).await();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception error) {
            System.err.println("the node did not close: " + error);
        }
    }

    private OneNode() {}
}
