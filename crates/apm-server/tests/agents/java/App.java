// A service under an agent for Java, asked a few things by itself. The property `shop` is the address that it asks: of
// arguments Elastic's agent complains. Neither agent is named here: both instrument the JDK's client of HTTP and JDBC;
// transactions come of the methods that the agent is told to trace. It ends when its standard input does, so that
// whoever started it can first wait for what it sends.
import java.net.HttpURLConnection;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.util.logging.Logger;

public class App {
    private static final Logger LOG = Logger.getLogger("shop");

    static void people() throws Exception {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite::memory:");
                PreparedStatement query = database.prepareStatement("SELECT 1 WHERE 1 <= ?")) {
            query.setInt(1, 7);
            query.executeQuery().close();
        }
        HttpURLConnection request = (HttpURLConnection) URI.create(System.getProperty("shop")).toURL().openConnection();
        request.getInputStream().readAllBytes();
        LOG.warning("the shelf is empty");
    }

    static void broken() {
        throw new IllegalStateException("nothing is no city");
    }

    public static void main(String[] arguments) throws Exception {
        Class.forName("org.sqlite.JDBC");
        Thread.sleep(1000);
        people();
        people();
        try {
            broken();
        } catch (IllegalStateException expected) {
            // The agent has seen it.
        }
        System.in.read();
    }
}
